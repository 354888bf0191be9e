/** All invariants together: passes on what happens, counts the checks, and keeps the ledger they share. */
import type { ConfState, LogIndex, NodeId } from "@raftoral/raft-core";
import type { Entry, Message, ReadState } from "@raftoral/raft-core/core";
import { RareStates } from "../coverage/rare-states.ts";
import type { LogImage } from "../disk/log-image.ts";
import type { KvCommand } from "../machine/kv-command.ts";
import { ClaimsCommitted } from "./claims-committed.ts";
import { CommitByQuorum } from "./commit-by-quorum.ts";
import { CommittedStays } from "./committed-stays.ts";
import { ConfigurationsOverlap } from "./configurations-overlap.ts";
import type { CoreListener } from "./core-probe.ts";
import { DurableBeforeClaimed } from "./durable-before-claimed.ts";
import type { Invariant, Report } from "./invariant.ts";
import { LeaderAppendOnly } from "./leader-append-only.ts";
import { LeaderCompleteness } from "./leader-completeness.ts";
import { Ledger } from "./ledger.ts";
import { LogMatching } from "./log-matching.ts";
import { Monotone } from "./monotone.ts";
import { type Observed, remember } from "./observed.ts";
import { OneLeaderPerTerm } from "./one-leader-per-term.ts";
import { OnePendingChange } from "./one-pending-change.ts";
import { ReadsNotBehind } from "./reads-not-behind.ts";
import { SameEntryApplied } from "./same-entry-applied.ts";
import { SameState } from "./same-state.ts";

type Hook = Exclude<keyof Invariant, "name">;

/** All invariants of one run. */
export class InvariantSet implements CoreListener {
  readonly ledger = new Ledger();
  readonly states: SameState;
  readonly rare: RareStates;
  /** How often an invariant was asked. */
  checks = 0;
  /** By hook, the invariants that have it. */
  readonly #hooks: Readonly<Record<Hook, readonly Invariant[]>>;

  /** `platterOf`: what is on a node's disk, whether it runs or not. `holdsReads`: whether reads may not be behind at all. */
  constructor(
    report: Report,
    platterOf: (nodeId: NodeId) => LogImage | undefined,
    holdsReads: (node: Observed) => boolean,
  ) {
    const { ledger } = this;
    this.states = new SameState(report);
    this.rare = new RareStates(ledger);
    const all: readonly Invariant[] = [
      // First, for the others compare with what these two note in the ledger.
      new OneLeaderPerTerm(report, ledger),
      new CommittedStays(report, ledger),
      new LeaderAppendOnly(report),
      new LogMatching(report, ledger),
      new LeaderCompleteness(report, ledger),
      new SameEntryApplied(report),
      this.states,
      new CommitByQuorum(report, platterOf),
      new Monotone(report),
      new OnePendingChange(report),
      new ConfigurationsOverlap(report, ledger),
      new DurableBeforeClaimed(report, ledger),
      new ClaimsCommitted(report, ledger),
      new ReadsNotBehind(report, ledger, holdsReads),
      this.rare,
    ];
    const having = (hook: Hook) => all.filter((one) => one[hook] !== undefined);
    this.#hooks = {
      started: having("started"),
      ended: having("ended"),
      appended: having("appended"),
      restored: having("restored"),
      configured: having("configured"),
      counted: having("counted"),
      sent: having("sent"),
      applied: having("applied"),
      wiped: having("wiped"),
      readAsked: having("readAsked"),
      readConfirmed: having("readConfirmed"),
      executed: having("executed"),
      recovered: having("recovered"),
      afterEvent: having("afterEvent"),
    };
  }

  started(node: Observed): void {
    this.ledger.running.set(node.id, node);
    for (const one of this.#listeners("started")) one.started?.(node);
    this.configured(node, node.appliedIndex, node.confState);
  }

  ended(node: Observed): void {
    for (const one of this.#listeners("ended")) one.ended?.(node);
    if (this.ledger.running.get(node.id) === node) this.ledger.running.delete(node.id);
  }

  appended(node: Observed, entries: readonly Entry[]): void {
    for (const one of this.#listeners("appended")) one.appended?.(node, entries);
  }

  restored(node: Observed): void {
    for (const one of this.#listeners("restored")) one.restored?.(node);
  }

  configured(node: Observed, index: LogIndex, confState: ConfState): void {
    for (const one of this.#listeners("configured")) one.configured?.(node, index, confState);
  }

  counted(node: Observed, index: LogIndex): void {
    for (const one of this.#listeners("counted")) one.counted?.(node, index);
  }

  sent(node: Observed, message: Message): void {
    for (const one of this.#listeners("sent")) one.sent?.(node, message);
  }

  applied(node: Observed, entry: Entry): void {
    for (const one of this.#listeners("applied")) one.applied?.(node, entry);
  }

  wiped(nodeId: NodeId): void {
    for (const one of this.#listeners("wiped")) one.wiped?.(nodeId);
  }

  readAsked(node: Observed, context: Uint8Array): void {
    for (const one of this.#listeners("readAsked")) one.readAsked?.(node, context);
  }

  readConfirmed(node: Observed, read: ReadState): void {
    for (const one of this.#listeners("readConfirmed")) one.readConfirmed?.(node, read);
  }

  executed(nodeId: NodeId, index: LogIndex, command: KvCommand, digest: number): void {
    for (const one of this.#listeners("executed")) one.executed?.(nodeId, index, command, digest);
  }

  recovered(nodeId: NodeId, index: LogIndex, digest: number): void {
    for (const one of this.#listeners("recovered")) one.recovered?.(nodeId, index, digest);
  }

  /** After every event, for the node that it may have changed. */
  afterEvent(node: Observed): void {
    for (const one of this.#listeners("afterEvent")) one.afterEvent?.(node);
    remember(node.before, node.raft);
  }

  #listeners(hook: Hook): readonly Invariant[] {
    const listeners = this.#hooks[hook];
    this.checks += listeners.length;
    return listeners;
  }
}
