/**
 * A group of bare cores after somebody has forged a message to one of them. What the group agreed on may be lost then, so none of the invariants
 * is held any more. What still holds is what one node may ask of its own core, whatever comes from outside:
 *
 * - a message is taken or refused, and nothing throws, then and later; what is refused has changed nothing;
 * - a message costs bounded work;
 * - without a tick the nodes come to rest.
 *
 * The nodes are carried out as a driver does: what is said to a node goes through the codec, a committed change that does not fit is turned down,
 * and a node that hears that committed entries are missing stops.
 */
import { type NodeId, RaftError } from "@raftoral/raft-core";
import type { ConfChangeV2, Entry } from "@raftoral/raft-core/core";
import { checkConfChange, type Message, readConfChange, type StepOutcome } from "@raftoral/raft-core/core";
import { decodePeerMessage, encodeMessage } from "@raftoral/raft-core/transport";
import type { CoreGroup } from "../core/core-group.ts";
import type { CoreNetwork } from "../core/core-network.ts";
import type { CoreHost, CoreNode } from "../core/core-node.ts";
import { stepHoldingReads } from "../core/held-reads.ts";
import { describeMessage } from "../network/network.ts";
import { Violation } from "../world/violation.ts";

/** Reads of the log that one message may cost beyond one of each entry there is. */
const MAX_READS = 200;
const NO_PASSAGE = { forIncarnation: 0, fromIncarnation: 0 } as const;

/** What became of a message: taken, not readable as one, or refused with this reason. */
export type Fate = "taken" | "unreadable" | (StepOutcome & { ok: false })["reason"];

/** The group of one run, after the forged message. */
export class Aftermath implements CoreHost {
  readonly #nodes: ReadonlyMap<NodeId, CoreNode>;
  readonly #network: CoreNetwork;
  readonly #tell: ((line: string) => void) | undefined;

  constructor({ nodes, network }: CoreGroup, tell?: (line: string) => void) {
    this.#nodes = nodes;
    this.#network = network;
    this.#tell = tell;
    for (const node of nodes.values()) node.handOver(this);
  }

  /** Has a message come to a node through the codec. Throws a {@link Violation}. */
  step(node: CoreNode, message: Message): Fate {
    return this.#watched(node, () => {
      const read = decoded(encodeMessage(message));
      if (read === undefined) return "unreadable";
      const before = stateOf(node);
      const readsBefore = node.disk.reads;
      const outcome = stepHoldingReads(node.raw, read);
      const reads = node.disk.reads - readsBefore;
      const { log } = node.raft;
      if (reads > MAX_READS + log.lastIndex() - log.firstIndex()) {
        throw new Violation("hangs", `n${node.id} reads its log ${reads} times for one ${message.type}`);
      }
      if (outcome.ok) return "taken";
      // A proposal of a later term that is dropped has at least told of that term.
      if (message.type !== "MsgProp" && stateOf(node) !== before) {
        throw new Violation(
          "refusal-changes",
          `n${node.id} refuses a ${message.type} (${outcome.reason}), and has changed`,
        );
      }
      return outcome.reason;
    });
  }

  /** Lets everything arrive and be carried out, without time passing. Returns how many messages that took; throws beyond `maxMessages`. */
  rest(maxMessages: number): number {
    let messages = 0;
    for (;;) {
      for (const node of this.#nodes.values()) {
        if (node.isUp && node.isBusy) this.#watched(node, () => node.settle());
      }
      if (this.#network.isQuiet) return messages;
      for (const key of [...this.#network.busy]) {
        const [from, to] = [Math.floor(key / 64), key % 64];
        for (let left = this.#network.lengthOf(from, to); left > 0; left--) {
          const underWay = this.#network.take(from, to, 0);
          if (underWay === undefined) break;
          if (++messages > maxMessages) {
            const last = underWay.message;
            throw new Violation("storm", `more than ${maxMessages} messages without a tick, the last a ${last.type}`);
          }
          this.#arrive(from, to, underWay.message);
        }
      }
    }
  }

  tick(): void {
    for (const node of this.#nodes.values()) {
      if (node.isUp) this.#watched(node, () => node.tick());
    }
  }

  // What the nodes tell it.

  leaves(node: CoreNode, message: Message): void {
    if (!this.#nodes.has(message.to)) return;
    this.#network.send(node.id, message.to, { message, passage: NO_PASSAGE, isReported: message.type === "MsgSnap" });
  }

  changeOf({ confState }: CoreNode, entry: Entry): ConfChangeV2 | undefined {
    const change = readConfChange(entry);
    return checkConfChange(confState, change) === undefined ? change : undefined;
  }

  started(): void {}
  ended(): void {}
  applied(): void {}
  configured(): void {}
  reached(): void {}
  appended(): void {}
  restored(): void {}
  counted(): void {}
  readAsked(): void {}
  readConfirmed(): void {}

  #arrive(from: NodeId, to: NodeId, message: Message): void {
    const node = this.#nodes.get(to);
    const isThere = node?.isUp === true;
    this.#tell?.(`deliver ${describeMessage(message)}`);
    if (isThere && this.step(node, message) === "lost-entries") node.crash(0);
    const sender = this.#nodes.get(from);
    if (message.type !== "MsgSnap" || sender?.isUp !== true) return;
    this.#watched(sender, () => sender.raw.reportSnapshot(to, isThere ? "finish" : "failure"));
  }

  #watched<T>(node: CoreNode, run: () => T): T {
    try {
      return run();
    } catch (error) {
      if (error instanceof Violation) throw error;
      const text = error instanceof Error ? error.message : String(error);
      throw new Violation("node-stopped", `n${node.id}: ${text}`, { cause: error });
    }
  }
}

function decoded(bytes: Uint8Array): Message | undefined {
  try {
    return decodePeerMessage(bytes);
  } catch (error) {
    if (error instanceof RaftError && error.code === "CODEC_INVALID") return undefined;
    throw error;
  }
}

/** All that a message could have changed, as text. */
function stateOf({ raw, raft }: CoreNode): string {
  const { term, vote, lead, role, log, tracker, reads } = raft;
  return [
    [term, vote, lead, role, raft.electionElapsed, raft.leaderHeardAt, raft.leadTransferee, raft.pendingConfIndex],
    [log.committed, log.lastIndex(), log.unstable.snapshot?.metadata.index, reads.waiting.length, reads.confirmed],
    [raft.messages.length, raft.messagesAfterAppend.length, raft.readStates.length, raft.postponedReads.length],
    [...reads.acks].join(),
    [...tracker.progress].join(),
    raw.hasReady(),
  ].join("; ");
}
