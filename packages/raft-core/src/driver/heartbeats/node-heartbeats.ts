/**
 * The heartbeats of all groups of a node, together: one message to each peer in a heartbeat's interval, whatever the number of groups.
 *
 * What a group's heartbeat says is said for it by a roster (`outgoing-roster.ts`, `incoming-roster.ts`), and it comes to the
 * same: every group goes on to tick, to time out, to check its quorum and to count its members' silence by itself, and a pulse
 * resets on each follower what that group's own heartbeat would have reset. A heartbeat that has anything else to say travels by itself.
 *
 * It must not decide anything about a group: who leads, who is heard and what is committed is the groups' own affair.
 *
 * Invariants:
 * H1. A peer that does not answer pulses, for it does not know them, gets every heartbeat by itself.
 * H2. Whatever bytes come, the worst that happens is that they are not heard.
 * H3. With fewer groups than are to travel together nothing is opened, sent or answered.
 * H4. What is held of peers has a bound, whoever calls itself a peer.
 */
import { RaftError } from "../../errors.ts";
import { type Message, message } from "../../message.ts";
import type { Cancel } from "../../ports/clock.ts";
import type { GroupChannel, GroupDescription, GroupReceiver, PeerTransport } from "../../ports/peer-transport.ts";
import type { Rng } from "../../ports/rng.ts";
import { type GroupId, type LogIndex, NONE, type NodeId, type Term } from "../../types.ts";
import type { HeartbeatGroup } from "./heartbeat-group.ts";
import { IncomingRoster } from "./incoming-roster.ts";
import { OutgoingRoster } from "./outgoing-roster.ts";
import {
  decodePulse,
  decodePulseAnswer,
  encodePulse,
  encodePulseAnswer,
  HEARTBEAT_GROUP,
  type Pulse,
} from "./roster-codec.ts";
import type { Ticker } from "./ticker.ts";

export interface NodeHeartbeatsOptions {
  readonly transport: PeerTransport;
  readonly ticker: Ticker;
  readonly heartbeatTicks: number;
  readonly rng: Rng;
}

/** A group that has joined. */
export interface HeartbeatMembership {
  /** Takes a heartbeat of the group's core. True if it need not be sent. One with a read's context is told all the same. */
  carries(to: NodeId, term: Term, commit: LogIndex, hasContext: boolean): boolean;
  leave(): void;
}

/** Peers whose rosters are held at once. Of more, those not heard for longest are forgotten, and send theirs anew. */
const MAX_HEARD_PEERS = 1024;

const nodes = new WeakMap<PeerTransport, NodeHeartbeats>();

/**
 * Those of a transport's node: made for the first group, gone with the last. Undefined for a group whose ticks are not those of
 * the groups that are there: its heartbeats go by themselves.
 */
export function heartbeatsOf(options: NodeHeartbeatsOptions): NodeHeartbeats | undefined {
  const { transport, ticker, heartbeatTicks } = options;
  const known = nodes.get(transport);
  if (known !== undefined) return known.hasTiming(ticker, heartbeatTicks) ? known : undefined;
  const made = new NodeHeartbeats(options, () => nodes.delete(transport));
  nodes.set(transport, made);
  return made;
}

export class NodeHeartbeats implements GroupReceiver {
  readonly #options: NodeHeartbeatsOptions;
  readonly #ended: () => void;
  readonly #groups = new Map<GroupId, HeartbeatGroup>();
  readonly #outgoing = new Map<NodeId, OutgoingRoster>();
  readonly #incoming = new Map<NodeId, IncomingRoster>();
  #channel: GroupChannel | undefined;
  #stopTicking: Cancel | undefined;
  #sincePulse = 0;
  #nextRoster = 0;
  /** What the least demanding group asks for. */
  #fromGroups = Number.POSITIVE_INFINITY;

  /** `ended` is told when the last group has left. */
  constructor(options: NodeHeartbeatsOptions, ended: () => void) {
    this.#options = options;
    this.#ended = ended;
  }

  hasTiming(ticker: Ticker, heartbeatTicks: number): boolean {
    return this.#options.ticker === ticker && this.#options.heartbeatTicks === heartbeatTicks;
  }

  /** Takes a group in. Its heartbeats travel with others once `fromGroups` groups are here. */
  join(group: HeartbeatGroup, fromGroups: number): HeartbeatMembership {
    this.#groups.set(group.groupId, group);
    this.#fromGroups = Math.min(this.#fromGroups, fromGroups);
    if (this.#isInUse) this.#open();
    return {
      carries: (to, term, commit, hasContext) => {
        if (!this.#isInUse) return false;
        const roster = this.#outgoing.get(to) ?? this.#newRoster(to);
        if (!hasContext) return roster.beat(group, term, commit);
        roster.touch(group.groupId);
        return false;
      },
      leave: () => this.#leave(group),
    };
  }

  // What the transport tells (GroupReceiver).

  receive(from: NodeId, messages: readonly Message[]): void {
    for (const { type, context } of messages) {
      if (context === undefined) continue;
      try {
        if (type === "MsgHeartbeat") this.#hear(from, decodePulse(context));
        else if (type === "MsgHeartbeatResp") this.#answered(from, context);
      } catch (error) {
        if (!(error instanceof RaftError && error.code === "CODEC_INVALID")) throw error;
      }
    }
  }

  receiveSnapshot(): Promise<void> {
    return Promise.reject(noGroup());
  }

  receiveCommand(): Promise<void> {
    return Promise.reject(noGroup());
  }

  /** It may come back as one that does not know of pulses. */
  unreachable(peer: NodeId): void {
    if (this.#outgoing.has(peer)) this.#newRoster(peer);
  }

  describe(): GroupDescription {
    return { role: "FOLLOWER", leader: NONE, highestKnownNodeId: NONE };
  }

  #open(): void {
    if (this.#channel !== undefined) return;
    const { transport, ticker, rng } = this.#options;
    // An earlier life of the node had others, so that what is left of it under way is told from this one's.
    this.#nextRoster = rng.below(2 ** 32) * 2 ** 16 + 1;
    this.#channel = transport.open(HEARTBEAT_GROUP, this);
    this.#stopTicking = ticker.afterTick((missedTicks) => this.#onTick(missedTicks));
  }

  get #isInUse(): boolean {
    return this.#groups.size >= this.#fromGroups;
  }

  /** Counts as the core does, so that between two pulses every leading group has had a heartbeat (O1). */
  #onTick(missedTicks: number): void {
    this.#sincePulse += 1 + missedTicks;
    if (this.#sincePulse < this.#options.heartbeatTicks || !this.#isInUse) return;
    this.#sincePulse = 0;
    const pulses: Message[] = [];
    for (const [to, roster] of this.#outgoing) {
      const pulse = roster.pulse();
      if (pulse === undefined) this.#outgoing.delete(to);
      else pulses.push(this.#message("MsgHeartbeat", to, encodePulse(pulse)));
    }
    if (pulses.length > 0) this.#channel?.send(pulses);
  }

  #hear(from: NodeId, pulse: Pulse): void {
    let roster = this.#incoming.get(from);
    if (roster === undefined) {
      roster = new IncomingRoster(from, (groupId) => this.#groups.get(groupId));
      const [longestSilent] = this.#incoming.keys();
      if (this.#incoming.size >= MAX_HEARD_PEERS && longestSilent !== undefined) this.#incoming.delete(longestSilent);
    }
    // Behind all others: the map is in the order in which peers were heard.
    this.#incoming.delete(from);
    this.#incoming.set(from, roster);
    const answer = roster.hear(pulse);
    if (answer !== undefined) this.#channel?.send([this.#message("MsgHeartbeatResp", from, encodePulseAnswer(answer))]);
  }

  #answered(from: NodeId, bytes: Uint8Array): void {
    const stands = this.#outgoing.get(from)?.answered(decodePulseAnswer(bytes)) ?? true;
    if (!stands) this.#newRoster(from);
  }

  #newRoster(peer: NodeId): OutgoingRoster {
    const roster = new OutgoingRoster(peer, this.#nextRoster++);
    this.#outgoing.set(peer, roster);
    return roster;
  }

  #leave(group: HeartbeatGroup): void {
    if (this.#groups.get(group.groupId) !== group) return;
    this.#groups.delete(group.groupId);
    for (const roster of this.#outgoing.values()) roster.leave(group.groupId);
    if (this.#groups.size > 0) return;
    this.#stopTicking?.();
    this.#channel?.close();
    this.#ended();
  }

  #message(type: "MsgHeartbeat" | "MsgHeartbeatResp", to: NodeId, context: Uint8Array): Message {
    return message({ type, to, from: this.#options.transport.nodeId, context });
  }
}

function noGroup(): RaftError {
  return new RaftError(
    "CONFIG_INVALID",
    `group ${HEARTBEAT_GROUP} is for the nodes' heartbeats; no command goes there`,
  );
}
