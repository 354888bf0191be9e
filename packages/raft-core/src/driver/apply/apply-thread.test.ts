import { describe, expect, test } from "vitest";
import { LOCAL_APPLY_THREAD, message } from "../../message.ts";
import type { CommandExecutor } from "../../ports/executor.ts";
import { EMPTY_BYTES, type Entry } from "../../types.ts";
import { ApplyThread, type ApplyThreadHost } from "./apply-thread.ts";
import { encodeEntryContext } from "./entry-context.ts";
import { ReplicatedState } from "./replicated-state.ts";

/** An executor that adds bytes up; the result is the sum. `apply` can be made to fail or to wait. */
function start(apply?: CommandExecutor<number, number>["apply"]) {
  let sum = 0;
  const executor: CommandExecutor<number, number> = {
    encode: (command) => new Uint8Array([command]),
    decode: (bytes) => bytes[0] ?? 0,
    apply:
      apply ??
      ((batch) =>
        batch.map(({ command }) => {
          sum += command;
          return sum;
        })),
    async *snapshot() {},
    restore: () => Promise.resolve(),
  };
  const told: (string | number)[][] = [];
  const state = new ReplicatedState();
  const host: ApplyThreadHost<number> = {
    deliver: (responses) => {
      for (const response of responses) told.push(["deliver", response.index]);
    },
    applyConfChange: () => {
      throw new Error("no configuration change was expected");
    },
    settled: ({ serial }, result) => {
      told.push(["settled", serial, result]);
    },
    reconfigured: () => {},
    refused: ({ serial }, error) => {
      told.push(["refused", serial, error.code]);
    },
    expired: ({ serial }) => {
      told.push(["expired", serial]);
    },
    registered: (nodeId, nonce, index) => {
      told.push(["registered", nodeId, nonce, index]);
    },
    applied: () => {},
    fail: (error) => {
      told.push(["failed", String(error)]);
    },
  };
  return { thread: new ApplyThread(executor, state, host), told, state };
}

const register = (index: number): Entry => ({
  term: 1,
  index,
  type: "EntryNormal",
  data: EMPTY_BYTES,
  context: encodeEntryContext({ kind: "register", nodeId: 7, nonce: 99 }),
});

const add = (index: number, amount: number, session: number, serial: number): Entry => ({
  term: 1,
  index,
  type: "EntryNormal",
  data: amount === 0 ? EMPTY_BYTES : new Uint8Array([amount]),
  context: encodeEntryContext({ kind: "proposal", id: { session, serial, floor: 1 } }),
});

function apply(...entries: Entry[]) {
  const responses = [message({ type: "MsgStorageApplyResp", index: entries[entries.length - 1]?.index ?? 0 })];
  return message({ type: "MsgStorageApply", to: LOCAL_APPLY_THREAD, entries, responses });
}

describe("the apply thread", () => {
  test("applies in order, tells results, then lets the responses go", async () => {
    const { thread, told, state } = start();
    thread.submit(apply(register(1), add(2, 5, 1, 1)));
    thread.submit(apply(add(3, 6, 1, 2)));
    await thread.idle();
    expect(told).toEqual([
      ["registered", 7, 99, 1],
      ["settled", 1, 5],
      ["deliver", 2],
      ["settled", 2, 11],
      ["deliver", 3],
    ]);
    expect(state.appliedIndex).toBe(3);
  });

  test("B2: a repeated serial is passed over, a forgotten session applies nothing", async () => {
    const { thread, told } = start();
    thread.submit(apply(register(1), add(2, 5, 1, 1), add(3, 5, 1, 1), add(4, 5, 44, 1), add(5, 1, 1, 2)));
    await thread.idle();
    expect(told.filter(([kind]) => kind !== "registered")).toEqual([
      ["settled", 1, 5],
      ["settled", 2, 6],
      ["expired", 1],
      ["deliver", 5],
    ]);
  });

  test("B4: an expired session is told after the results that came before it, also without any command", async () => {
    const { thread, told } = start();
    thread.submit(apply(register(1), add(2, 5, 1, 1), add(3, 5, 44, 2)));
    thread.submit(apply(add(4, 5, 44, 3)));
    await thread.idle();
    expect(told.filter(([kind]) => kind === "settled" || kind === "expired")).toEqual([
      ["settled", 1, 5],
      ["expired", 2],
      ["expired", 3],
    ]);
  });

  test("B5: halted, it finishes the batch under way, begins nothing more, and tells who waits", async () => {
    let release = (): void => {};
    const { thread, told, state } = start(async (batch) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return batch.map(() => 0);
    });
    thread.submit(apply(register(1), add(2, 1, 1, 1)));
    thread.submit(apply(add(3, 1, 1, 2)));
    const queued = thread.exclusively(() => Promise.resolve());
    await new Promise((resolve) => setImmediate(resolve));
    thread.halt(new Error("stopping"));
    release();
    await expect(queued).rejects.toThrow("stopping");
    await expect(thread.exclusively(() => Promise.resolve())).rejects.toThrow("stopping");
    thread.submit(apply(add(3, 1, 1, 2)));
    await thread.idle();
    expect(state.appliedIndex).toBe(2);
    expect(told.some(([kind]) => kind === "failed")).toBe(false);
  });

  test("B6: while the executor takes its time, nothing counts as applied that it has not applied", async () => {
    let release = (): void => {};
    const { thread, state } = start(async (batch) => {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return batch.map(() => 0);
    });
    thread.submit(apply(register(1)));
    thread.submit(apply(add(2, 1, 1, 1), add(3, 1, 1, 2)));
    await new Promise((resolve) => setImmediate(resolve));
    expect(state.appliedIndex).toBe(1);
    release();
    await thread.idle();
    expect(state.appliedIndex).toBe(3);
  });

  test("B5: after a failure, callers that wait for the thread are told why", async () => {
    const { thread } = start(() => {
      throw new Error("bug in the application");
    });
    thread.submit(apply(register(1), add(2, 1, 1, 1)));
    await expect(thread.exclusively(() => Promise.resolve())).rejects.toThrow("applying a committed entry failed");
    await expect(thread.exclusively(() => Promise.resolve())).rejects.toThrow("applying a committed entry failed");
  });

  test("what is left of a configuration change that the leader turned down is told to its proposer", async () => {
    const { thread, told } = start();
    thread.submit(apply(register(1), add(2, 0, 1, 1)));
    await thread.idle();
    expect(told).toContainEqual(["refused", 1, "CONF_CHANGE_REFUSED"]);
  });

  test("a job submitted just as the queue ran dry is carried out", async () => {
    const { thread, told } = start();
    thread.submit(apply(register(1)));
    for (let turn = 0; turn < 20; turn++) {
      await Promise.resolve();
      thread.submit(apply(add(turn + 2, 1, 1, turn + 1)));
    }
    await thread.idle();
    expect(told[told.length - 1]).toEqual(["deliver", 21]);
  });

  test("B1: a gap stops the node, and nothing is applied after it", async () => {
    const { thread, told, state } = start();
    thread.submit(apply(register(1)));
    thread.submit(apply(add(3, 1, 1, 1)));
    thread.submit(apply(add(2, 1, 1, 1)));
    await thread.idle();
    expect(told[told.length - 1]).toEqual(["failed", "InvariantViolation: entry 3 would be applied after 1 (B1)"]);
    expect(state.appliedIndex).toBe(1);
  });

  test("an executor that throws stops the node before the entry counts as applied", async () => {
    const { thread, told } = start(() => {
      throw new Error("bug in the application");
    });
    thread.submit(apply(register(1), add(2, 1, 1, 1)));
    await thread.idle();
    expect(told[told.length - 1]).toEqual([
      "failed",
      "Error: applying a committed entry failed: bug in the application",
    ]);
    expect(told).not.toContainEqual(["deliver", 2]);
  });

  test("an asynchronous executor is waited for, one batch after the other", async () => {
    const order: number[] = [];
    const { thread } = start(async (batch) => {
      const first = batch[0]?.index ?? 0;
      order.push(first);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(-first);
      return batch.map(() => 0);
    });
    thread.submit(apply(register(1), add(2, 1, 1, 1)));
    thread.submit(apply(add(3, 1, 1, 2)));
    await thread.idle();
    expect(order).toEqual([2, -2, 3, -3]);
  });
});
