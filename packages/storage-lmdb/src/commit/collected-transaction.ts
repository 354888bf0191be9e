/** Changes remembered one by one, to hand them to LMDB's writer thread in one go. */
import type { Database } from "lmdb";
import type { WriteTransaction } from "./checkpoint.ts";

/** A transaction in memory. It copies keys and keeps values as they are, so a caller must not change a value before the transaction is committed. */
export class CollectedTransaction implements WriteTransaction {
  readonly #keys: Buffer[] = [];
  readonly #values: (Buffer | undefined)[] = [];

  get size(): number {
    return this.#keys.length;
  }

  put(key: Buffer, value: Buffer): void {
    this.#keys.push(Buffer.from(key));
    this.#values.push(value);
  }

  remove(key: Buffer): void {
    this.#keys.push(Buffer.from(key));
    this.#values.push(undefined);
  }

  /** A change whose key stays as it is: it is not copied. */
  take(key: Buffer, value: Buffer | undefined): void {
    this.#keys.push(key);
    this.#values.push(value);
  }

  buffer(bytes: number): Buffer {
    return Buffer.allocUnsafe(bytes);
  }

  /**
   * Makes the changes in one transaction on LMDB's writer thread; resolves when it is flushed. All of it was collected
   * before, since a batch that LMDB has begun is committed even if an exception ends it half-way.
   */
  async commit(database: Database<Buffer, Buffer>): Promise<void> {
    try {
      let last: Promise<boolean> | undefined;
      await database.batch(() => {
        for (let i = 0; i < this.#keys.length; i++) {
          const key = this.#keys[i] as Buffer;
          const value = this.#values[i];
          const done = value === undefined ? database.remove(key) : database.put(key, value);
          // The batch as a whole tells how it went; a rejection that no one handles would end the process.
          if (done !== last) done.catch(ignore);
          last = done;
        }
      });
    } catch (error) {
      // lmdb-js rejects with a general error that holds a promise, which rejects with the reason.
      const reason = (error as { commitError?: Promise<never> }).commitError;
      throw (await reason?.catch((cause: unknown) => cause)) ?? error;
    }
  }
}

function ignore(): void {}
