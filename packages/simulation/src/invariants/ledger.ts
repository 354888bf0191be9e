/**
 * What is known of the group as a whole: every entry ever appended anywhere, everything committed, every configuration. The
 * invariants compare nodes with it instead of with each other, so that an event costs what it changed and no more.
 */
import type { ConfState, Entry, LogIndex, Term } from "@raftoral/raft-core";
import { hashBytes, mix } from "../world/random.ts";
import type { CommittedEntry } from "./invariant.ts";

/** An entry as it was first seen. */
export interface KnownEntry {
  readonly entry: Entry;
  readonly fingerprint: number;
  /** Term of the entry before it. */
  readonly previousTerm: Term;
}

export class Ledger {
  /** By `keyOf(index, term)`. */
  readonly entries = new Map<number, KnownEntry>();
  /** By index. */
  readonly committed: CommittedEntry[] = [];
  /** Configurations in force from the index at which they were applied on, ascending. */
  readonly configurations: { readonly index: LogIndex; readonly confState: ConfState }[] = [];

  get lastCommitted(): LogIndex {
    return Math.max(0, this.committed.length - 1);
  }

  /** The configuration in force once `index` is applied; undefined if nobody has applied that far. */
  configurationAt(index: LogIndex): ConfState | undefined {
    for (let at = this.configurations.length - 1; at >= 0; at--) {
      const one = this.configurations[at];
      if (one !== undefined && one.index <= index) return one.confState;
    }
    return undefined;
  }

  get latestConfiguration(): ConfState | undefined {
    return this.configurations.at(-1)?.confState;
  }
}

/** Terms stay far below 2^20 and indexes below 2^32 in a simulation. */
export function keyOf(index: LogIndex, term: Term): number {
  return index * 0x10_0000 + term;
}

export function fingerprintOf({ type, data, context }: Entry): number {
  const body = mix(hashBytes(data), type === "EntryNormal" ? 1 : 2);
  return context === undefined ? body : mix(body, hashBytes(context));
}
