/**
 * Configuration changes that were asked for in a run, by the number that each one carries, and what a committed one comes to. As with the
 * driver, a change is made or turned down as a whole, by a function of the log.
 */
import { EMPTY_BYTES, type LogIndex, type NodeId } from "@raftoral/raft-core";
import type { ConfChangeV2, Entry } from "@raftoral/raft-core/core";
import type { Ledger } from "../invariants/ledger.ts";
import { Violation } from "../world/violation.ts";
import { wasRemoved } from "./members.ts";
import { numberIn } from "./numbers.ts";

/** What a leader asks for by itself. */
const LEAVE: ConfChangeV2 = { transition: "Auto", changes: [], context: EMPTY_BYTES };

/** The changes of one run. */
export class ProposedChanges {
  /** Numbers of changes that were applied somewhere as such, not turned down. */
  readonly applied = new Set<number>();
  readonly #ledger: Ledger;
  readonly #byNumber = new Map<number, ConfChangeV2>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  add(number: number, change: ConfChangeV2): void {
    this.#byNumber.set(number, change);
  }

  /**
   * The change that a committed entry asks for; undefined if every node turns it down, for an id is never used again: no node joins under one
   * that was removed. Whether a change fits the configuration otherwise is for the leader's core to see before it appends the change.
   */
  read({ index, data, context }: Entry): ConfChangeV2 | undefined {
    const number = context === undefined ? undefined : numberIn(context);
    const change = number === undefined ? undefined : this.#byNumber.get(number);
    if (number === undefined || change === undefined) {
      if (data.length > 0) throw new Violation("same-entry-applied", "a configuration change that was never proposed");
      return LEAVE;
    }
    if (change.changes.some(({ type, nodeId }) => type !== "RemoveNode" && this.#isUsedUp(nodeId, index)))
      return undefined;
    this.applied.add(number);
    return change;
  }

  /** Whether anybody has asked for `id` to become a voter. */
  makesVoter(id: NodeId): boolean {
    return [...this.#byNumber.values()].some(({ changes }) =>
      changes.some(({ type, nodeId }) => type === "AddNode" && nodeId === id),
    );
  }

  #isUsedUp(id: NodeId, index: LogIndex): boolean {
    return wasRemoved(this.#ledger, id, index);
  }
}
