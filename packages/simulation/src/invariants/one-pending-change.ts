/**
 * One configuration change at a time (thesis §4.1): no log holds two that are not committed, no leader two that are not
 * applied, and no node stands for election while a committed change waits to be applied. What a leader waits for before it takes the next change
 * is in its log.
 *
 * What is compacted was applied, although the report may not have reached the core yet: its configuration is in force.
 */
import type { LogIndex } from "@raftoral/raft-core";
import type { Entry } from "@raftoral/raft-core/core";
import type { Invariant, Report } from "./invariant.ts";
import { nameOf, type Observed } from "./observed.ts";

/** Checks that configuration changes are made one at a time. */
export class OnePendingChange implements Invariant {
  readonly name = "one-pending-change";
  readonly #report: Report;
  /** Indexes of the changes in a process's log that were not applied when last looked at, ascending. */
  readonly #changes = new WeakMap<Observed, LogIndex[]>();

  constructor(report: Report) {
    this.#report = report;
  }

  started(node: Observed): void {
    const { log } = node.raft;
    const entries = log.entriesFrom(log.firstIndex(), Number.POSITIVE_INFINITY);
    this.#changes.set(node, typeof entries === "string" ? [] : changesIn(entries));
  }

  appended(node: Observed, entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    const known = this.#changes.get(node) ?? [];
    const found = changesIn(entries);
    const isLonger = known.length === 0 || (known[known.length - 1] as LogIndex) < first.index;
    if (isLonger && found.length === 0) return;
    this.#changes.set(node, known.filter((index) => index < first.index).concat(found));
  }

  restored(node: Observed): void {
    this.#changes.set(node, []);
  }

  afterEvent(node: Observed): void {
    const { role, pendingConfIndex, log } = node.raft;
    if (role === "StateLeader" && pendingConfIndex > log.lastIndex()) {
      this.#report(this.name, `${nameOf(node)} takes no change before ${pendingConfIndex}, which is not in its log`);
    }
    const all = this.#changes.get(node);
    if (all === undefined || all.length === 0) return;
    const { raft, before } = node;
    const { committed } = raft.log;
    const applied = Math.max(raft.log.applied, raft.log.firstIndex() - 1);
    const unapplied = (all[0] as LogIndex) > applied ? all : all.filter((index) => index > applied);
    if (unapplied !== all) this.#changes.set(node, unapplied);
    if (unapplied.length === 0) return;
    const last = unapplied[unapplied.length - 1] as LogIndex;
    const secondLast = unapplied[unapplied.length - 2] ?? 0;
    if (secondLast > committed) {
      this.#report(this.name, `${nameOf(node)} holds uncommitted changes at ${secondLast} and ${last}`);
    }
    if (raft.role === "StateLeader" && secondLast > applied) {
      this.#report(this.name, `${nameOf(node)} leads term ${raft.term} with unapplied changes at ${unapplied}`);
    }
    const stands = raft.role === "StateCandidate" || raft.role === "StatePreCandidate";
    // A candidate may stand again in the next term without having been anything else in between.
    const began = before.role !== raft.role || before.term !== raft.term;
    if (stands && began && (unapplied[0] as LogIndex) <= committed) {
      this.#report(
        this.name,
        `${nameOf(node)} stands for election with the committed change ${unapplied[0]} not applied`,
      );
    }
  }
}

function changesIn(entries: readonly Entry[]): LogIndex[] {
  const found: LogIndex[] = [];
  for (const entry of entries) if (entry.type !== "EntryNormal") found.push(entry.index);
  return found;
}
