/**
 * What is known of the group as a whole, for the whole run: every entry ever appended anywhere, everything committed and
 * applied, every configuration, every leader. The invariants compare nodes with it instead of with each other, so that an event
 * costs only what it changed, and so that a crash or a compaction takes nothing out of sight.
 */
import type { ConfState, LogIndex, NodeId, Term } from "@raftoral/raft-core";
import type { Entry } from "@raftoral/raft-core/core";
import { hashBytes, mix } from "../world/random.ts";
import type { Observed } from "./observed.ts";

/** An entry as it was first seen. */
export interface KnownEntry {
  readonly entry: Entry;
  readonly fingerprint: number;
  /** Term of the entry before it. */
  readonly previousTerm: Term;
}

/** What was committed, as the first process knew that did. */
export interface CommittedEntry {
  readonly term: Term;
  /** The term in which it was committed. */
  readonly inTerm: Term;
  readonly by: Who;
}

/** A process, also when it is gone. */
export interface Who {
  readonly id: NodeId;
  readonly incarnation: number;
}

/** The ledger of one run. */
export class Ledger {
  /** By `keyOf(index, term)`. */
  readonly entries = new Map<number, KnownEntry>();
  /** By index. */
  readonly committed: CommittedEntry[] = [];
  /** Configurations in force from the index at which they were applied on, ascending. */
  readonly configurations: { readonly index: LogIndex; readonly confState: ConfState }[] = [];
  /** The process that led a term. */
  readonly leaders = new Map<Term, Who>();
  /** The processes that run now, by node. */
  readonly running = new Map<NodeId, Observed>();

  get lastCommitted(): LogIndex {
    return Math.max(0, this.committed.length - 1);
  }

  /** The configuration in force once `index` is applied; undefined if no node has applied that far. */
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

  /** The process that leads `term` and still runs. */
  runningLeader(term: Term): Observed | undefined {
    const leader = this.leaders.get(term);
    if (leader === undefined) return undefined;
    const running = this.running.get(leader.id);
    const leads = running?.raft.role === "StateLeader" && running.raft.term === term;
    return leads && running.incarnation === leader.incarnation ? running : undefined;
  }
}

/** Terms stay far below 2^20 and indexes below 2^32 in a simulation. */
export function keyOf(index: LogIndex, term: Term): number {
  return index * 0x10_0000 + term;
}

/** A number for the content of an entry. Entries with the same content have the same one. */
export function fingerprintOf({ type, data, context }: Entry): number {
  const body = mix(hashBytes(data), type === "EntryNormal" ? 1 : type === "EntryConfChange" ? 2 : 3);
  return context === undefined ? body : mix(body, hashBytes(context));
}
