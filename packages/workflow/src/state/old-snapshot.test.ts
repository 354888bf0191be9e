import { MemoryStateStore } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { WorkflowState } from "../machine/workflow-state.ts";
import { SnapshotDecoder } from "./decode-snapshot.ts";

/** Written when runs were kept in tables in memory. */
const WRITTEN = `
UldGUwEBBQjzBxADAhoIARIBcCIJCgVvcmRlchABIggKBHNoaXAQAgNECgdkb25lLcOpEgVvcmRlchgBIgJ7fSoQMDEyMzQ1Njc4OWFiY2RlZjDpBzgC
QAFIAVABgAIBkgIEIm9rIqgC7AewAgUEDwoDYiMwGgExIOoHKAMwAQQRCgNhIzAQAhoBMiDrBygEMAEDRgoDYmFkEgVvcmRlchgBKhAwMDAwMDAwMDAw
MDAwMDAwMPIHOAtAAUgDUAGAAgGIAgGaAgsKBUVycm9yEgJub6gC8wewAgwDXAoFd2FpdHMSBHNoaXAYAiIBNyoQZmVkY2JhOTg3NjU0MzIxMDDtBzgG
QAFIAlABiAEBkgEGZW5vdWdomgEKCgJnbxIBeBjuB5oBDAoEc3RvcBIBeRjvB6IBAnMxBBQKBndhaXQjMBAEGgE5IPAHKAkwAgUGCAEQAxgD`;

const text = (value: string): Uint8Array => Uint8Array.from(Buffer.from(value));

test("a snapshot of the first version is read, whole", async () => {
  const store = new MemoryStateStore();
  const replacement = store.replace();
  const decoder = new SnapshotDecoder(replacement);
  decoder.push(Buffer.from(WRITTEN, "base64"));
  decoder.finish();
  await replacement.finish(12);
  const state = new WorkflowState(store);
  expect([state.clock, state.appliedIndex, state.size]).toEqual([1011, 12, { running: 1, orphaned: 0, finished: 2 }]);
  expect(state.run("done-é")).toEqual({
    runId: "done-é",
    workflowType: "order",
    version: 1,
    owner: 1,
    epoch: 1,
    attempt: 1,
    startedAtMs: 1001,
    startIndex: 2,
    recordCount: 2,
    status: "completed",
    outcome: { status: "completed", result: text('"ok"') },
    endedAtMs: 1004,
    endIndex: 5,
    input: text("{}"),
    seed: text("0123456789abcdef"),
    history: [
      ["b#0", { kind: "step", value: text("1"), recordedAtMs: 1002, position: 3, epoch: 1 }],
      ["a#0", { kind: "variable", value: text("2"), recordedAtMs: 1003, position: 4, epoch: 1 }],
    ],
  });
  expect(state.run("waits")).toMatchObject({ cancelReason: "enough", signals: ["go", "stop"], input: text("7") });
  expect(state.run("bad")).toMatchObject({ outcome: { status: "failed", error: { name: "Error", message: "no" } } });
  expect(state.nodes()).toMatchObject([{ nodeId: 1, incarnation: "p", running: 1 }]);
  // Its epochs and signals go on.
  const receive = {
    kind: "SignalReceive",
    runId: "waits",
    path: "got#0",
    timedOut: false,
    owner: 1,
    epoch: 2,
  } as const;
  const got = state.apply(13, { ...receive, name: "go", atMs: 1012 });
  expect(got).toMatchObject({ recorded: true, record: { value: text("x") } });
  const again = state.apply(14, {
    kind: "Signal",
    runId: "waits",
    name: "go",
    payload: text(""),
    signalId: "s1",
    atMs: 0,
  });
  expect(again).toMatchObject({ ok: true, changed: false });
});
