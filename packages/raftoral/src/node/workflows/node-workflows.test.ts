import { platformClock } from "@raftoral/raft-core";
import { PayloadCoder, type WorkflowEngine, type WorkflowRuntime } from "@raftoral/workflow";
import { expect, test } from "vitest";
import type { CallLimit } from "../../api/call-options.ts";
import type { Environment } from "../../platform.ts";
import { NodeWorkflows } from "./node-workflows.ts";

const LIMIT: CallLimit = { timeoutMs: 1_000 };
const PAGE = { pageSize: 10, pageToken: undefined };

/** What is asked of the engine of a node, in order. A barrier takes its time. */
function asked(): { readonly port: NodeWorkflows; readonly calls: string[] } {
  const calls: string[] = [];
  const read = async (name: string): Promise<undefined> => void calls.push(name);
  const engine = {
    nodeId: 1,
    subscribe: () => () => {},
    overview: async () => ({ appliedIndex: 0 }),
    barrier: async () => {
      calls.push("barrier begins");
      await new Promise((resolve) => setImmediate(resolve));
      calls.push("barrier passed");
      return 7;
    },
    summary: () => read("read"),
    pruned: async () => undefined,
    history: () => read("read"),
    input: () => read("read"),
    list: async () => {
      calls.push("read");
      return { runs: [] };
    },
  } as unknown as WorkflowEngine;
  const runtime = { registered: Promise.resolve() } as unknown as WorkflowRuntime;
  const environment = { clock: platformClock } as unknown as Environment;
  const payloads = PayloadCoder.PLAIN;
  const port = new NodeWorkflows({ engine, runtime, definitions: [], environment, payloads, maxPayloadBytes: 1_000 });
  return { port, calls };
}

test.each<[string, (port: NodeWorkflows) => Promise<unknown>]>([
  ["describe", (port) => port.describe("r", LIMIT)],
  ["list", (port) => port.list({ sort: "created", isAscending: false }, PAGE, LIMIT)],
  ["history", (port) => port.history("r", PAGE, LIMIT)],
  ["input", (port) => port.input("r", LIMIT)],
])("%s reads once everything acknowledged before the call is applied (NW1)", async (_, call) => {
  const { port, calls } = asked();
  // The run is not there, which the read alone can tell.
  await call(port).catch((error: unknown) => expect(error).toMatchObject({ code: "WORKFLOW_NOT_FOUND" }));
  expect(calls).toEqual(["barrier begins", "barrier passed", "read"]);
  port.close();
});
