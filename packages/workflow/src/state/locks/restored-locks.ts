/** Checks that the locks of a snapshot count the asks that it has, and that none is of a run that it has not. What it keeps grows with the number of locks and of runs that ask. */
import { KEY_PREFIX, numberKey } from "../../records/state-keys.ts";
import type { RecordSink } from "../runs/run-records.ts";
import { invalid } from "../snapshots/snapshot-format.ts";
import { readFrom } from "../streams/stream-codec.ts";
import { LOCK_CODECS } from "./lock-records.ts";

interface Counts {
  held: number;
  waiting: number;
}

/** The locks of one snapshot while it is read: `took` its records, and `finish` at the end. Each throws SNAPSHOT_INVALID. */
export class RestoredLocks {
  /** What the locks say, less the asks that have come. */
  readonly #left = new Map<string, Counts>();
  readonly #starts = new Set<number>();
  #latest = 0;
  /** Asks, less the entries that name them. */
  #named = 0;
  #counted = 0;
  #locks = 0;

  /** A record of locks, under its key. */
  took(key: string, content: Uint8Array): void {
    if (key.startsWith(KEY_PREFIX.lock)) {
      const { name, held, waiting } = readFrom(LOCK_CODECS.lock, content);
      const counts = this.#countsOf(name);
      counts.held += held;
      counts.waiting += waiting;
      this.#locks += 1;
    } else if (key.startsWith(KEY_PREFIX.lockWaiter) || key.startsWith(KEY_PREFIX.lockHolder)) {
      const { name, ticket, token, start } = readFrom(LOCK_CODECS.ask, content);
      const counts = this.#countsOf(name);
      if (token > 0) counts.held -= 1;
      else counts.waiting -= 1;
      this.#latest = Math.max(this.#latest, ticket, token);
      this.#named += 1;
      if (start > 0) this.#starts.add(start);
    } else if (key.startsWith(KEY_PREFIX.lockRequest) || key.startsWith(KEY_PREFIX.lockOfRun)) this.#named -= 1;
    else if (key.startsWith(KEY_PREFIX.lockCount)) this.#counted = readFrom(LOCK_CODECS.count, content).locks;
  }

  /** All has come. `lastEpoch`: the latest number that was given out. */
  finish(sink: RecordSink, lastEpoch: number): void {
    for (const [name, { held, waiting }] of this.#left)
      if (held !== 0 || waiting !== 0) throw invalid(`lock ${name} counts other asks than it has`);
    for (const start of this.#starts)
      if (sink.get(KEY_PREFIX.run + numberKey(start)) === undefined)
        throw invalid(`a run that is not there has a lock`);
    if (this.#latest > lastEpoch) throw invalid("a lock is from the future");
    if (this.#named !== 0 || this.#counted !== this.#locks) throw invalid("locks or asks are miscounted");
  }

  #countsOf(name: string): Counts {
    let counts = this.#left.get(name);
    if (counts === undefined) {
      counts = { held: 0, waiting: 0 };
      this.#left.set(name, counts);
    }
    return counts;
  }
}
