import { expect, test } from "vitest";
import { LOCAL_APPEND_THREAD, type Message, message } from "../message.ts";
import type { GroupStorage, WriteBatch } from "../ports/storage.ts";
import { EMPTY_BYTES, EMPTY_CONF_STATE } from "../types.ts";
import { AppendThread } from "./append-thread.ts";

interface Write {
  readonly batch: WriteBatch;
  readonly done: () => void;
  readonly fail: (error: Error) => void;
}

/** A storage whose writes finish when the test completes them. Only `write` is used here. */
function heldStorage(): { storage: GroupStorage; writes: Write[] } {
  const writes: Write[] = [];
  const storage = {
    write: (batch: WriteBatch) =>
      new Promise<void>((resolve, reject) => {
        writes.push({ batch, done: resolve, fail: reject });
      }),
  } as unknown as GroupStorage;
  return { storage, writes };
}

function start() {
  const { storage, writes } = heldStorage();
  const delivered: number[] = [];
  const failures: unknown[] = [];
  const thread = new AppendThread(
    storage,
    { term: 1, vote: 0, commit: 0 },
    {
      deliver: (responses) => {
        for (const response of responses) delivered.push(response.index);
      },
      restore: () => Promise.resolve(),
      fail: (error) => {
        failures.push(error);
      },
    },
  );
  return { thread, writes, delivered, failures };
}

function append(index: number, hardState: { term: number; vote?: number; commit?: number } = { term: 0 }): Message {
  return message({
    type: "MsgStorageAppend",
    to: LOCAL_APPEND_THREAD,
    ...hardState,
    entries: index === 0 ? [] : [{ term: 1, index, type: "EntryNormal", data: EMPTY_BYTES }],
    responses: index === 0 ? [] : [message({ type: "MsgAppResp", index })],
  });
}

test("A1, A2: responses wait for their own write and every earlier one, and keep the order", async () => {
  const { thread, writes, delivered } = start();
  thread.submit(append(1));
  thread.submit(append(2));
  expect(writes.length).toBe(2);
  writes[1]?.done();
  await new Promise((resolve) => setImmediate(resolve));
  expect(delivered).toEqual([]);
  writes[0]?.done();
  await thread.idle();
  expect(delivered).toEqual([1, 2]);
});

test("A3: after a failed write nothing leaves, and the failure is told once", async () => {
  const { thread, writes, delivered, failures } = start();
  thread.submit(append(1));
  thread.submit(append(2));
  writes[0]?.fail(new Error("EIO"));
  writes[1]?.done();
  await thread.idle();
  expect(delivered).toEqual([]);
  expect(failures).toEqual([new Error("EIO")]);
});

test("a commit index alone is not worth a flush; it rides on the next write", async () => {
  const { thread, writes } = start();
  thread.submit(append(0, { term: 1, commit: 5 }));
  expect(writes.length).toBe(0);
  thread.submit(append(6));
  expect(writes[0]?.batch.hardState).toEqual({ term: 1, vote: 0, commit: 5 });
});

test("a new term or vote is written at once, even without entries", () => {
  const { thread, writes } = start();
  thread.submit(append(0, { term: 2, vote: 3 }));
  expect(writes[0]?.batch.hardState).toEqual({ term: 2, vote: 3, commit: 0 });
});

test("A4: a local snapshot gives way to a received one, even before that is durable", async () => {
  const { thread, writes } = start();
  const confState = { ...EMPTY_CONF_STATE, voters: [1] };
  const at = (index: number) => ({ index, term: 1, confState });
  void thread.writeSnapshot(at(5), 1);
  thread.submit(
    message({ type: "MsgStorageAppend", to: LOCAL_APPEND_THREAD, snapshot: { metadata: at(10), data: EMPTY_BYTES } }),
  );
  expect(await thread.writeSnapshot(at(7), 1)).toBe(false);
  expect(writes.map(({ batch }) => batch.snapshot?.metadata.index)).toEqual([5, 10]);
  void thread.writeSnapshot(at(12), 1);
  expect(writes.length).toBe(3);
});
