/**
 * A group of bare cores: nodes, what is under way between them, and the invariants. It does one action at a time, and throws a
 * {@link Violation} when something is wrong. The same actions on the same settings lead to the same, whether a schedule or a person chose them.
 */
import { type ConfState, EMPTY_BYTES, InvariantViolation, type LogIndex, type NodeId } from "@raftoral/raft-core";
import type { ConfChangeV2, Entry, Message, ReadState } from "@raftoral/raft-core/core";
import { decodePeerMessage, encodeMessage } from "@raftoral/raft-core/transport";
import { InvariantSet } from "../invariants/invariant-set.ts";
import type { Ledger } from "../invariants/ledger.ts";
import type { Random } from "../world/random.ts";
import { Violation } from "../world/violation.ts";
import type { Action } from "./action.ts";
import { comeToRest } from "./come-to-rest.ts";
import { CoreNetwork, type UnderWay } from "./core-network.ts";
import { type CoreHost, CoreNode, contentOf } from "./core-node.ts";
import type { CoreSettings } from "./core-settings.ts";
import { stepHoldingReads } from "./held-reads.ts";
import { hasOnlyLearned, membersOf, wasRemoved } from "./members.ts";
import { bytesOf, numberIn } from "./numbers.ts";
import { ProposedChanges } from "./proposed-changes.ts";

/** What a node may answer to a message from a node that works. */
const REFUSALS_OF_SOUND_MESSAGES = new Set([
  "unknown-peer",
  "no-leader",
  "not-leader",
  "forwarding-disabled",
  "not-a-member",
  "leadership-transfer",
  "uncommitted-limit",
  "read-limit",
]);

/** One group of bare cores. A schedule or a list of actions drives it. */
export class CoreGroup implements CoreHost {
  readonly settings: CoreSettings;
  readonly nodes = new Map<NodeId, CoreNode>();
  readonly network = new CoreNetwork();
  readonly invariants: InvariantSet;
  readonly changes: ProposedChanges;
  /** Messages that left a node so far. */
  sent = 0;
  /** Learners that came back with nothing: a leader that knew them may not serve them any more, and no node gives them a vote. */
  readonly wiped = new Set<NodeId>();
  /** Values of proposals that were applied somewhere. */
  readonly appliedValues = new Set<number>();
  /** The highest number of a read that was confirmed, by node. */
  readonly confirmedReads = new Map<NodeId, number>();
  readonly #random: Random;
  readonly #digests = new Map<LogIndex, number>();
  #nextValue = 1;

  constructor(settings: CoreSettings, random: Random, ignore: readonly string[] = []) {
    this.settings = settings;
    this.#random = random;
    const report = (invariant: string, message: string): void => {
      if (!ignore.includes(invariant)) throw new Violation(invariant, message);
    };
    // Where reads rely on leases all clocks tick together, so that every read is held to be linearizable.
    this.invariants = new InvariantSet(
      report,
      (nodeId) => this.nodes.get(nodeId)?.disk.platter,
      () => true,
    );
    this.changes = new ProposedChanges(this.invariants.ledger);
    const ids = Array.from({ length: settings.voters + settings.learners }, (_, at) => at + 1);
    const confState: ConfState = {
      voters: ids.slice(0, settings.voters),
      learners: ids.slice(settings.voters),
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    };
    const { index, term, hasHardState } = settings.begin;
    const hardState = hasHardState ? { term, vote: 0, commit: index } : undefined;
    for (const id of ids) {
      const node = this.#newNode(id);
      node.disk.begin({ index, term, confState }, contentOf(0), hardState);
      node.start();
    }
  }

  get ledger(): Ledger {
    return this.invariants.ledger;
  }

  get leader(): CoreNode | undefined {
    let leader: CoreNode | undefined;
    for (const node of this.nodes.values()) {
      if (!node.isUp || node.raft.role !== "StateLeader") continue;
      if (leader === undefined || node.raft.term > leader.raft.term) leader = node;
    }
    return leader;
  }

  /** Does an action. False when there is nothing that it could be done to: nothing has changed then. */
  perform(action: Action): boolean {
    if (action.kind === "rest") return comeToRest(this, action.amount);
    const node = this.nodes.get(action.kind === "deliver" || action.kind === "repeat" ? action.to : action.at);
    if (node === undefined) return false;
    return this.#watched(node, () => this.#do(action, node));
  }

  /** Has a message that was taken from the network arrive. False when the receiver is not there. */
  receive(from: NodeId, to: NodeId, underWay: UnderWay): boolean {
    const node = this.nodes.get(to);
    return node !== undefined && this.#watched(node, () => this.#arrive(from, node, underWay));
  }

  /** Proposes a value of its own; undefined if it was not taken. */
  propose(node: CoreNode, bytes = 4): number | undefined {
    const value = this.#nextValue++;
    return node.raw.propose(bytesOf(value, bytes)).ok ? value : undefined;
  }

  /** Proposes a change under a number of its own. */
  change(node: CoreNode, change: ConfChangeV2, number: number): void {
    if (change.changes.some(({ type, nodeId }) => type === "AddNode" && this.wiped.has(nodeId))) return;
    for (const { type, nodeId } of change.changes) {
      if ((type === "AddNode" || type === "AddLearnerNode") && !this.nodes.has(nodeId)) this.#newNode(nodeId).start();
    }
    this.changes.add(number, change);
    const context = bytesOf(number);
    const [first] = change.changes;
    // Half of the simple ones in the form that predates joint consensus.
    if (change.transition === "Auto" && change.changes.length === 1 && first !== undefined && number % 2 === 0) {
      node.raw.proposeConfChange({ id: number, ...first, context: EMPTY_BYTES }, context);
    } else {
      node.raw.proposeConfChange(change, context);
    }
  }

  /** Asks for a read under a number of its own. */
  read(node: CoreNode): number {
    const number = this.#nextValue++;
    node.raw.readIndex(bytesOf(number));
    return number;
  }

  /** Whether the group goes on without a node that it has removed, whatever happens to the others (raft-core's removal.ts RV1, RV2). */
  isDispensable(node: CoreNode): boolean {
    const { id } = node;
    const { leader } = this;
    if (!this.settings.config.stepDownOnRemoval) return false;
    if (node.saysThatItIsRemoved) return true;
    if (leader === undefined) return false;
    if (leader.id === id || !wasRemoved(this.ledger, id) || membersOf(leader.confState).includes(id)) return false;
    const { log, lossOfVotesAt, term } = leader.raft;
    return log.committed >= lossOfVotesAt && log.termOrZero(log.committed) === term;
  }

  // What its nodes tell it.

  started(node: CoreNode): void {
    this.invariants.started(node);
  }

  ended(node: CoreNode): void {
    this.invariants.ended(node);
  }

  leaves(node: CoreNode, message: Message): void {
    this.sent++;
    this.invariants.sent(node, message);
    const receiver = this.nodes.get(message.to);
    const forIncarnation = receiver?.isUp === true ? receiver.incarnation : 0;
    const lost = this.network.send(node.id, message.to, {
      message,
      passage: { forIncarnation, fromIncarnation: node.incarnation },
      isReported: message.type === "MsgSnap",
    });
    if (lost !== undefined) this.#isOver(node.id, message.to, lost, "failure");
  }

  applied(node: CoreNode, entry: Entry): void {
    this.invariants.applied(node, entry);
    const { type, data } = entry;
    if (type === "EntryNormal" && data.length >= 4) this.appliedValues.add(numberIn(data));
  }

  configured(node: CoreNode, index: LogIndex, confState: ConfState): void {
    this.invariants.configured(node, index, confState);
  }

  reached(node: CoreNode, index: LogIndex, digest: number): void {
    const known = this.#digests.get(index);
    if (known === undefined) this.#digests.set(index, digest);
    else if (known !== digest) {
      throw new Violation("same-state", `n${node.id} has another state at ${index} than was there before`);
    }
  }

  changeOf(_node: CoreNode, entry: Entry): ConfChangeV2 | undefined {
    return this.changes.read(entry);
  }

  appended(node: CoreNode, entries: readonly Entry[]): void {
    this.invariants.appended(node, entries);
  }

  restored(node: CoreNode): void {
    this.invariants.restored(node);
  }

  counted(node: CoreNode, index: LogIndex): void {
    this.invariants.counted(node, index);
  }

  readAsked(node: CoreNode, context: Uint8Array): void {
    this.invariants.readAsked(node, context);
  }

  readConfirmed(node: CoreNode, read: ReadState): void {
    this.invariants.readConfirmed(node, read);
    this.confirmedReads.set(node.id, Math.max(this.confirmedReads.get(node.id) ?? 0, numberIn(read.context)));
  }

  /** What a node does is checked, and what it throws is a violation. */
  #watched(node: CoreNode, run: () => boolean): boolean {
    try {
      const did = run();
      if (did && node.isUp) this.invariants.afterEvent(node);
      return did;
    } catch (error) {
      if (error instanceof Violation) throw error;
      const text = error instanceof InvariantViolation ? error.message : String(error);
      throw new Violation("node-stopped", `n${node.id}: ${text}`, { cause: error });
    }
  }

  #do(action: Action, node: CoreNode): boolean {
    const { kind, at, to, amount } = action;
    switch (kind) {
      case "start":
        if (node.isUp || node.isRetired) return false;
        node.start();
        return true;
      case "deliver":
      case "repeat":
        return this.#deliver(action, node);
      case "drop": {
        const dropped = this.network.take(at, to, amount);
        if (dropped !== undefined) this.#isOver(at, to, dropped, "failure");
        return dropped !== undefined;
      }
      case "retire":
        if (node.isRetired || !this.isDispensable(node)) return false;
        node.crash(0);
        node.isRetired = true;
        return true;
      case "wipe":
        if (!this.#isLearnerForSure(node)) return false;
        this.wiped.add(node.id);
        node.wipe();
        this.invariants.wiped(node.id);
        return true;
    }
    return node.isUp && this.#input(action, node);
  }

  #input({ kind, to, amount, change }: Action, node: CoreNode): boolean {
    switch (kind) {
      case "tick":
        this.#tick(node);
        return true;
      case "turn":
        return node.turn();
      case "write":
        return node.write();
      case "apply":
        return node.apply();
      case "settle":
        if (!node.isBusy) return false;
        node.settle();
        return true;
      case "crash":
        node.crash(amount);
        return true;
      case "campaign":
        node.raw.campaign();
        return true;
      case "propose":
        this.propose(node, 4 + amount);
        return true;
      case "propose-two": {
        const data = [0, 1].map(() => Uint8Array.of(0, 0, 0, 0, 1));
        node.raw.proposeEntries(data.map((one) => ({ data: one })));
        return true;
      }
      case "change":
        if (change !== undefined) this.change(node, change, amount);
        return change !== undefined;
      case "transfer":
        node.raw.transferLeader(to);
        return true;
      case "read":
        this.read(node);
        return true;
      case "compact":
        return node.compact(amount);
      case "unreachable":
        node.raw.reportUnreachable(to);
        return true;
      case "forget-leader":
        node.raw.forgetLeader();
        return true;
      default:
        return false;
    }
  }

  #tick(node: CoreNode): void {
    if (!this.settings.ticksTogether) {
      node.tick();
      return;
    }
    for (const one of this.nodes.values()) {
      if (!one.isUp) continue;
      one.tick();
      if (one !== node) this.invariants.afterEvent(one);
    }
  }

  #deliver({ kind, at, to, amount }: Action, node: CoreNode): boolean {
    if (!node.isUp) return false;
    const taken = this.network.take(at, to, amount);
    if (taken === undefined) return false;
    // A copy stays behind, without a notice.
    if (kind === "repeat") this.network.send(at, to, { ...taken, isReported: false });
    return this.#arrive(at, node, taken);
  }

  #arrive(from: NodeId, node: CoreNode, underWay: UnderWay): boolean {
    const { id: to } = node;
    const { message, passage } = underWay;
    if (!node.isUp) {
      this.#isOver(from, to, underWay, "failure");
      return false;
    }
    this.invariants.rare.arrives(node, message, passage);
    const arrived = this.settings.throughCodec ? decodePeerMessage(encodeMessage(message)) : message;
    const outcome = stepHoldingReads(node.raw, arrived);
    // A node that its owner should not have started again notices that it should not vote.
    const noticesLoss = !outcome.ok && outcome.reason === "lost-entries" && this.wiped.has(to);
    if (!outcome.ok && !noticesLoss && !REFUSALS_OF_SOUND_MESSAGES.has(outcome.reason)) {
      throw new Violation("refused", `n${to} refuses ${message.type} of n${from}: ${outcome.reason}`);
    }
    this.#isOver(from, to, underWay, "finish");
    return true;
  }

  /** Of a snapshot its sender hears what became of it. */
  #isOver(from: NodeId, to: NodeId, { passage, isReported }: UnderWay, result: "finish" | "failure"): void {
    const sender = this.nodes.get(from);
    if (!isReported || sender?.isUp !== true || sender.incarnation !== passage.fromIncarnation) return;
    sender.raw.reportSnapshot(to, result);
    this.invariants.afterEvent(sender);
  }

  /** In every configuration that a node may still count by it has no vote, and no node is about to give it one. */
  #isLearnerForSure({ id, isRetired }: CoreNode): boolean {
    if (isRetired || !hasOnlyLearned(this.ledger, id)) return false;
    return !this.changes.makesVoter(id);
  }

  #newNode(id: NodeId): CoreNode {
    const node = new CoreNode(id, this.settings, this.#random.fork(`node ${id}`), this);
    this.nodes.set(id, node);
    return node;
  }
}
