/** Watches the nodes of a world: finds out what the invariants are to be told, and writes it into the trace. */
import type { ConfState, LogIndex, NodeId } from "@raftoral/raft-core";
import type { Entry, Message, ReadState } from "@raftoral/raft-core/core";
import type { GroupReceiver } from "@raftoral/raft-core/transport";
import type { Passage } from "../coverage/rare-states.ts";
import type { KvMachineListener } from "../machine/kv-machine.ts";
import { type NodeListener, ObservedNode } from "../node/observed-node.ts";
import type { SimNode } from "../node/sim-node.ts";
import { Violation } from "../world/violation.ts";
import type { World } from "../world/world.ts";
import { show } from "./configurations-overlap.ts";
import { InvariantSet } from "./invariant-set.ts";
import type { Ledger } from "./ledger.ts";
import type { Observed } from "./observed.ts";

/** Listens to the nodes of one {@link World}. */
export class Monitor implements NodeListener {
  readonly invariants: InvariantSet;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
    this.invariants = new InvariantSet(
      (invariant, message) => world.fail(new Violation(invariant, message)),
      (nodeId) => world.nodes.get(nodeId)?.disk.platter,
      ({ raft }) => raft.config.readOnly === "safe",
    );
  }

  get ledger(): Ledger {
    return this.invariants.ledger;
  }

  /** A driver began to listen. */
  observe(node: SimNode, receiver: GroupReceiver): ObservedNode {
    const observed = new ObservedNode(node.id, node.life?.number ?? 0, node.disk, receiver, this);
    this.invariants.started(observed);
    return observed;
  }

  /** A process is about to end. */
  ended(node: ObservedNode): void {
    node.tellApplied();
    this.invariants.ended(node);
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
        this.invariants.executed(nodeId, index, command, digest);
      },
      restored: (index, digest) => this.invariants.recovered(nodeId, index, digest),
    };
  }

  appended(node: Observed, entries: readonly Entry[]): void {
    this.invariants.appended(node, entries);
  }

  restored(node: Observed): void {
    this.invariants.restored(node);
  }

  configured(node: Observed, index: LogIndex, confState: ConfState): void {
    this.#world.trace.tell("configure", node.id, index, () => `${show(confState)} from ${index} on`);
    this.invariants.configured(node, index, confState);
  }

  counted(node: Observed, index: LogIndex): void {
    this.invariants.counted(node, index);
  }

  applied(node: Observed, entry: Entry): void {
    this.invariants.applied(node, entry);
  }

  readAsked(node: Observed, context: Uint8Array): void {
    this.invariants.readAsked(node, context);
  }

  readConfirmed(node: Observed, read: ReadState): void {
    this.invariants.readConfirmed(node, read);
  }

  sent(nodeId: NodeId, message: Message): void {
    const observed = this.#world.nodes.get(nodeId)?.observed;
    if (observed !== undefined) this.invariants.sent(observed, message);
  }

  /** A message has come to the process that runs on a node. */
  arrives(nodeId: NodeId, message: Message, passage: Passage): void {
    const observed = this.#world.nodes.get(nodeId)?.observed;
    if (observed !== undefined) this.invariants.rare.arrives(observed, message, passage);
  }

  /** After every event, for the node that it may have changed. */
  afterEvent(node: ObservedNode): void {
    node.tellApplied();
    this.invariants.afterEvent(node);
    const { term, log } = node.raft;
    this.#world.trace.count("state", node.id, term * 0x10_0000 + log.committed * 31 + log.lastIndex());
  }
}
