/**
 * The disk of a test node: it lasts over processes, and may stall.
 *
 * SS1. What was written before a stall is there; what is written during one is durable when the stall is over, in the order of the writes.
 * SS2. What a process had not got onto the disk when it ended is lost with it, and its writes never settle.
 */
import type { GroupStorage, WriteBatch } from "@raftoral/raft-core/storage";
import { MemoryNodeStorage, type NodeStorage } from "../../node/storage/node-storage.ts";

/** A {@link MemoryNodeStorage} whose writes wait while it stalls (SS1, SS2). */
export class StallingStorage extends MemoryNodeStorage implements NodeStorage {
  /** Resolves when the latest stall is over. */
  #flowing: Promise<void> | undefined;

  /** Writes from now on wait for `until`, and for every stall before it. */
  stall(until: Promise<void>): void {
    const flowing = Promise.all([this.#flowing, until]).then(() => {
      if (this.#flowing === flowing) this.#flowing = undefined;
    });
    this.#flowing = flowing;
  }

  override async group(groupId: Parameters<NodeStorage["group"]>[0]): Promise<GroupStorage> {
    const storage = await super.group(groupId);
    const opening = this.incarnation;
    let [before, waiting] = [Promise.resolve(), 0];
    const writeNow = (batch: WriteBatch): Promise<void> => {
      // Another process has the disk.
      return this.incarnation === opening ? storage.write(batch) : new Promise<never>(() => {});
    };
    const write = (batch: WriteBatch): Promise<void> => {
      const flowing = this.#flowing;
      if (flowing === undefined && waiting === 0) return writeNow(batch);
      waiting += 1;
      before = before.then(async () => {
        await flowing;
        waiting -= 1;
        await writeNow(batch);
      });
      return before;
    };
    return new Proxy(storage, {
      get(target, name) {
        if (name === "write") return write;
        const own: unknown = Reflect.get(target, name, target);
        return typeof own === "function" ? own.bind(target) : own;
      },
    });
  }
}
