import { describe, expect, test } from "vitest";
import type { WorkflowCommand } from "./commands/registry.ts";
import { WorkflowExecutor } from "./executor.ts";
import type { WorkflowEvent } from "./state/workflow-event.ts";

const NOTHING = new Uint8Array(0);

function filled(runs: number, valueBytes: number): WorkflowExecutor {
  const executor = new WorkflowExecutor({ snapshotChunkBytes: 1024 });
  let index = 0;
  const apply = (command: WorkflowCommand): void => {
    index += 1;
    void executor.apply([{ index, term: 1, command }]);
  };
  apply({ kind: "NodeRegister", nodeId: 1, incarnation: "p", types: [{ type: "order", version: 1 }], atMs: 1 });
  for (let run = 0; run < runs; run++) {
    const runId = `run-${run}`;
    apply({
      kind: "WorkflowStart",
      runId,
      workflowType: "order",
      version: 1,
      input: NOTHING,
      owner: 1,
      atMs: 2,
      seed: NOTHING,
    });
    const epoch = executor.state.summary(runId)?.epoch ?? 0;
    const value = new Uint8Array(valueBytes).fill(run);
    apply({ kind: "Checkpoint", runId, path: "x#0", value, atMs: 3, owner: 1, epoch, recordKind: "step" });
  }
  return executor;
}

async function collect(content: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk.slice());
  return chunks;
}

async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

describe("a snapshot", () => {
  test("holds the state of the moment it was asked for, whatever is applied while it is read", async () => {
    const executor = filled(50, 100);
    const before = executor.state.run("run-0");
    const content = executor.snapshot();
    const epoch = before?.epoch ?? 0;
    const late = {
      kind: "Checkpoint",
      runId: "run-0",
      path: "late#0",
      value: NOTHING,
      atMs: 9,
      owner: 1,
      epoch,
    } as const;
    const outcome = { status: "completed", result: NOTHING } as const;
    await executor.apply([
      { index: 1000, term: 1, command: { ...late, recordKind: "step" } },
      {
        index: 1001,
        term: 1,
        command: { kind: "WorkflowEnd", runId: "run-1", outcome, atMs: 9, owner: 1, epoch: epoch + 1 },
      },
      { index: 1002, term: 1, command: { kind: "Cancel", runId: "run-2", reason: "late", atMs: 9 } },
    ]);
    expect(executor.state.summary("run-1")?.status).toBe("completed");
    const chunks = await collect(content);
    const copy = new WorkflowExecutor();
    await copy.restore(from(chunks), 9);
    expect(copy.state.run("run-0")).toEqual(before);
    expect(copy.state.summary("run-1")?.status).toBe("running");
    expect(copy.state.summary("run-2")).toMatchObject({ cancelReason: undefined });
    expect(copy.state.clock).toBe(3);
  });

  test("is read in bounded chunks, whatever the size of a value", async () => {
    const chunks = await collect(filled(3, 10_000).snapshot());
    expect(chunks.length).toBeGreaterThan(30);
    for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(1024);
  });

  test("can be cut anywhere", async () => {
    const executor = filled(2, 10);
    const [whole = NOTHING] = await collect(executor.snapshot());
    for (let cut = 1; cut < whole.length; cut++) {
      const copy = new WorkflowExecutor();
      await copy.restore(from([whole.subarray(0, cut), whole.subarray(cut)]), 9);
      expect(copy.state.run("run-1")).toEqual(executor.state.run("run-1"));
    }
  });

  test("that is malformed is refused, and the state before it stays", async () => {
    const [whole = NOTHING] = await collect(filled(2, 10).snapshot());
    const refused = { code: "SNAPSHOT_INVALID" };
    const executor = filled(1, 1);
    const before = executor.state.run("run-0");
    for (let length = 0; length < whole.length; length++) {
      await expect(executor.restore(from([whole.subarray(0, length)]), 9)).rejects.toMatchObject(refused);
    }
    await expect(executor.restore(from([whole, Uint8Array.of(5, 0)]), 9)).rejects.toMatchObject(refused);
    await expect(executor.restore(from([Buffer.from("not a snapshot")]), 9)).rejects.toMatchObject(refused);
    const newer = whole.slice();
    newer[4] = 6;
    await expect(executor.restore(from([newer]), 9)).rejects.toThrow("format version is 6, this node reads 5");
    expect(executor.state.run("run-0")).toEqual(before);
  });

  test("with a flipped bit is refused with SNAPSHOT_INVALID or restored, and never fails otherwise", async () => {
    const [whole = NOTHING] = await collect(filled(2, 10).snapshot());
    let refusals = 0;
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const broken = whole.slice();
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await new WorkflowExecutor().restore(from([broken]), 9).catch((error: unknown) => {
        refusals += 1;
        expect(error).toMatchObject({ code: "SNAPSHOT_INVALID" });
      });
    }
    expect(refusals).toBeGreaterThan(whole.length);
  });
});

describe("listeners", () => {
  test("hear of events in log order after the batch is applied (X1), and harm no other listener by throwing (X2)", () => {
    const logged: string[] = [];
    const logger = {
      debug: () => {},
      info: () => {},
      warn: () => {},
      error: (_: object, message: string) => void logged.push(message),
    };
    const executor = new WorkflowExecutor({ logger });
    const heard: WorkflowEvent[] = [];
    const onNotice = (): void => {};
    executor.subscribe({
      onEvents: () => {
        throw new Error("broken listener");
      },
      onNotice,
    });
    const stop = executor.subscribe({ onEvents: (events) => heard.push(...events), onNotice });
    const types = [{ type: "order", version: 1 }];
    const register = { kind: "NodeRegister", nodeId: 1, incarnation: "p", types, atMs: 1 } as const;
    const start = {
      kind: "WorkflowStart",
      workflowType: "order",
      version: 1,
      input: NOTHING,
      owner: 1,
      atMs: 1,
    } as const;
    void executor.apply([
      { index: 1, term: 1, command: register },
      { index: 2, term: 1, command: { ...start, runId: "a", seed: NOTHING } },
    ]);
    expect(heard.map((event) => event.type)).toEqual(["node-changed", "run-started"]);
    expect(logged).toEqual(["a listener to workflow events threw"]);
    stop();
    void executor.apply([{ index: 3, term: 1, command: { ...start, runId: "b", seed: NOTHING } }]);
    expect(heard).toHaveLength(2);
  });
});
