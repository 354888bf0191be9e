/**
 * Election Safety (Raft paper §5.2): at most one leader in each term. A process is a leader of its own: a node that led a term,
 * crashed and leads the same term again is two leaders, with two logs.
 *
 * A process that says something only a leader says counts as one, too: it may lead and step down within one event.
 */
import type { Term } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/core";
import type { Invariant, Report } from "./invariant.ts";
import type { Ledger } from "./ledger.ts";
import { nameOf, type Observed } from "./observed.ts";

/** Checks that each term has one leader at most. */
export class OneLeaderPerTerm implements Invariant {
  readonly name = "one-leader-per-term";
  readonly #report: Report;
  readonly #ledger: Ledger;

  constructor(report: Report, ledger: Ledger) {
    this.#report = report;
    this.#ledger = ledger;
  }

  afterEvent(node: Observed): void {
    const { raft, before } = node;
    if (raft.role !== "StateLeader" || (before.role === "StateLeader" && before.term === raft.term)) return;
    this.#leads(node, raft.term);
  }

  sent(node: Observed, message: Message): void {
    if (isFromLeader(message) && message.from === node.id) this.#leads(node, message.term);
  }

  #leads(node: Observed, term: Term): void {
    const { leaders } = this.#ledger;
    const known = leaders.get(term);
    if (known === undefined) leaders.set(term, { id: node.id, incarnation: node.incarnation });
    else if (known.id !== node.id || known.incarnation !== node.incarnation) {
      this.#report(this.name, `${nameOf(node)} and ${nameOf(known)} both lead term ${term}`);
    }
  }
}

/** Whether a leader says it, of its own term. A snapshot that another member sends for the leader is the leader's. */
export function isFromLeader({ type }: Message): boolean {
  switch (type) {
    case "MsgApp":
    case "MsgHeartbeat":
    case "MsgSnap":
    case "MsgTimeoutNow":
      return true;
    default:
      return false;
  }
}
