/** All invariants together: passes on what happens, counts the checks, and keeps the ledger they share. */
import type { ConfState, Entry, GroupReceiver, LogIndex, Message, NodeId } from "@raftoral/raft-core";
import type { KvMachineListener } from "../machine/kv-machine.ts";
import { ObservedNode } from "../node/observed-node.ts";
import type { SimNode } from "../node/sim-node.ts";
import { Violation } from "../world/violation.ts";
import type { World } from "../world/world.ts";
import { CommitByQuorum } from "./commit-by-quorum.ts";
import { CommittedStays } from "./committed-stays.ts";
import { ConfigurationsOverlap, show } from "./configurations-overlap.ts";
import { DurableBeforeAcknowledged } from "./durable-before-acknowledged.ts";
import type { Invariant, Report } from "./invariant.ts";
import { LeaderAppendOnly } from "./leader-append-only.ts";
import { LeaderCompleteness } from "./leader-completeness.ts";
import { Ledger } from "./ledger.ts";
import { LogMatching } from "./log-matching.ts";
import { Monotone } from "./monotone.ts";
import { OneLeaderPerTerm } from "./one-leader-per-term.ts";
import { OnePendingChange } from "./one-pending-change.ts";
import { SameEntryApplied } from "./same-entry-applied.ts";

type Hook = Exclude<keyof Invariant, "name">;

export class Monitor {
  readonly ledger = new Ledger();
  readonly applications: SameEntryApplied;
  /** How often an invariant was asked. */
  checks = 0;
  readonly #world: World;
  /** By hook, the invariants that have it. */
  readonly #hooks: Readonly<Record<Hook, readonly Invariant[]>>;

  constructor(world: World) {
    this.#world = world;
    const report: Report = (invariant, message) => world.fail(new Violation(invariant, message));
    const { ledger } = this;
    this.applications = new SameEntryApplied(report);
    const all: readonly Invariant[] = [
      new OneLeaderPerTerm(report),
      new LeaderAppendOnly(report),
      new LogMatching(report, ledger),
      new CommittedStays(report, ledger),
      new LeaderCompleteness(report, ledger),
      this.applications,
      new CommitByQuorum(report, (nodeId) => world.nodes.get(nodeId)?.disk),
      new Monotone(report),
      new OnePendingChange(report),
      new ConfigurationsOverlap(report, ledger),
      new DurableBeforeAcknowledged(report),
    ];
    const having = (hook: Hook) => all.filter((one) => one[hook] !== undefined);
    this.#hooks = {
      started: having("started"),
      appended: having("appended"),
      restored: having("restored"),
      configured: having("configured"),
      sent: having("sent"),
      applied: having("applied"),
      afterEvent: having("afterEvent"),
    };
  }

  /** A driver began to listen. */
  observe(node: SimNode, receiver: GroupReceiver): ObservedNode {
    const observed = new ObservedNode(node.id, node.disk, receiver, this);
    this.checks += this.#hooks.started.length;
    for (const one of this.#hooks.started) one.started?.(observed);
    this.configured(observed, observed.appliedIndex, observed.confState);
    return observed;
  }

  listenTo(nodeId: NodeId): KvMachineListener {
    return {
      applied: (index, command, digest) => {
        this.#world.trace.tell(
          "apply",
          nodeId,
          digest,
          () => `${index}: ${command.kind} ${command.key} (#${command.id})`,
        );
        this.checks += this.#hooks.applied.length;
        for (const one of this.#hooks.applied) one.applied?.(nodeId, index, command, digest);
      },
    };
  }

  appended(node: ObservedNode, entries: readonly Entry[]): void {
    this.checks += this.#hooks.appended.length;
    for (const one of this.#hooks.appended) one.appended?.(node, entries);
  }

  restored(node: ObservedNode): void {
    this.checks += this.#hooks.restored.length;
    for (const one of this.#hooks.restored) one.restored?.(node);
  }

  configured(node: ObservedNode, index: LogIndex, confState: ConfState): void {
    this.#world.trace.tell("configure", node.id, index, () => `${show(confState)} from ${index} on`);
    this.checks += this.#hooks.configured.length;
    for (const one of this.#hooks.configured) one.configured?.(node, index, confState);
  }

  sent(nodeId: NodeId, message: Message): void {
    const observed = this.#world.nodes.get(nodeId)?.observed;
    if (observed === undefined) return;
    this.checks += this.#hooks.sent.length;
    for (const one of this.#hooks.sent) one.sent?.(observed, message);
  }

  /** After every event, for the node that it may have changed. */
  afterEvent(node: ObservedNode): void {
    this.checks += this.#hooks.afterEvent.length;
    for (const one of this.#hooks.afterEvent) one.afterEvent?.(node);
    node.remember();
    const { term, log } = node.raft;
    this.#world.trace.count("state", node.id, term * 0x10_0000 + log.committed * 31 + log.lastIndex());
  }
}
