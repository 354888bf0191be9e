import type { RaftoralError } from "@raftoral/raft-core";
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestCluster } from "./testing/test-cluster.ts";

const greet = workflow("greet", { version: 1 }, async (_ctx, name: string) => `hello ${name}`);

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await TestCluster.create("memory", [greet]);
});
afterEach(() => cluster.dispose());

test("wrong arguments are refused as a client's are, as rejections, and nothing is started", async () => {
  const node = await cluster.start({ ...cluster.place(), bootstrap: true });
  const codes = await Promise.all(
    [
      node.startWorkflow(greet, "a", { id: "" }),
      node.startWorkflow(greet, "a", { id: 5 as never }),
      node.startWorkflow("greet", "a", { version: 1.5 }),
      node.startWorkflow(null as never, "a"),
      node.getRun("r", { timeoutMs: Number.NaN }),
      node.signal("r", "s", 1, { timeoutMs: "5s" as never }),
      node.listRuns({ status: "asleep" as never }),
      node.removeNode("1" as never),
      node.transferLeadership(0),
    ].map((call) => call.catch((error: RaftoralError) => error.code)),
  );
  const ids = ["WORKFLOW_ID_INVALID", "WORKFLOW_ID_INVALID"];
  expect(codes).toEqual([...ids, ...Array.from({ length: 7 }, () => "REQUEST_INVALID")]);
  expect(await node.listRuns()).toEqual([]);
});
