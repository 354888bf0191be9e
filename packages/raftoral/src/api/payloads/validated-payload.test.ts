import { platformClock } from "@raftoral/raft-core";
import { inputOf, type StandardSchemaV1, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { CheckedWorkflows } from "../checked-workflows.ts";
import type { OperationsPort } from "../operations/operations-port.ts";
import type { WorkflowsPort } from "../workflows-port.ts";
import { Payload } from "./payload.ts";
import { assertFits } from "./validated-payload.ts";

/** Takes dates alone. JSON has none. */
const dates: StandardSchemaV1<unknown, Date> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => (value instanceof Date ? { value } : { issues: [{ message: "is no Date" }] }),
  },
};

test("a schema sees a value as it is recorded: one that wants a Date gets text", async () => {
  const subject = inputOf("dated");
  await expect(assertFits(dates, Payload.of(new Date(0), "the input"), subject)).rejects.toMatchObject({
    code: "INPUT_INVALID",
    message: expect.stringContaining("is no Date"),
  });
});

test("a start whose input its body could never read is refused before anything is sent", async () => {
  const sent: unknown[] = [];
  const port = {
    start: async (request: unknown) => {
      sent.push(request);
      return true;
    },
  } as unknown as WorkflowsPort;
  const operations = {} as OperationsPort;
  const workflows = new CheckedWorkflows({
    port,
    operations,
    timeoutMs: 1_000,
    uuid: () => "id",
    clock: platformClock,
  });
  const dated = workflow("dated", { version: 1, input: dates }, async (_ctx, at: Date) => at.getTime());
  await expect(workflows.start(dated, new Date(0))).rejects.toMatchObject({ code: "INPUT_INVALID" });
  expect(sent).toEqual([]);
});
