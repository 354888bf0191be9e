/**
 * The heartbeats of all groups of a node, together: one message to each peer in each heartbeat interval, for any number of groups.
 *
 * A roster (`outgoing-roster.ts`, `incoming-roster.ts`) tells the peer what the groups' own heartbeats would tell, with the same
 * effect. Every group still ticks, times out, checks its quorum and counts its members' silence by itself. A pulse
 * resets on each follower what that group's own heartbeat would reset. A heartbeat that tells anything else is sent by itself.
 *
 * It must not make decisions for a group. Each group decides itself who leads it, who was heard and what is committed.
 *
 * Invariants:
 * H1. A peer that does not answer pulses, because it does not know them, gets every heartbeat by itself.
 * H2. Invalid bytes are ignored; they have no other effect.
 * H3. With fewer groups than `coalesceHeartbeatsFrom` no channel is opened, and no pulse is sent or answered.
 * H4. The memory for peers is bounded, however many senders call themselves peers.
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

/** What the heartbeats of a node are made from. */
export interface NodeHeartbeatsOptions {
  readonly transport: PeerTransport;
  readonly ticker: Ticker;
  readonly heartbeatTicks: number;
  readonly rng: Rng;
}

/** A group's place among the heartbeats of its node. */
export interface HeartbeatMembership {
  /** Takes a heartbeat of the group's core. Returns true if the heartbeat need not be sent; never for one with a read's context. */
  carries(to: NodeId, term: Term, commit: LogIndex, hasContext: boolean): boolean;
  /** Takes the group out. */
  leave(): void;
}

/** Peers whose rosters are held at once. Beyond that, the peer that was not heard for longest is forgotten and sends its roster again. */
const MAX_HEARD_PEERS = 1024;

const nodes = new WeakMap<PeerTransport, NodeHeartbeats>();

/**
 * The heartbeats of a transport's node: created for its first group, removed with its last. Undefined for a group with another ticker or other
 * `heartbeatTicks` than the groups that have joined; that group sends its heartbeats by itself.
 */
export function heartbeatsOf(options: NodeHeartbeatsOptions): NodeHeartbeats | undefined {
  const { transport, ticker, heartbeatTicks } = options;
  const known = nodes.get(transport);
  if (known !== undefined) return known.hasTiming(ticker, heartbeatTicks) ? known : undefined;
  const made = new NodeHeartbeats(options, () => nodes.delete(transport));
  nodes.set(transport, made);
  return made;
}

/** Sends and receives the pulses of one node, on the transport's group {@link HEARTBEAT_GROUP}. */
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
  /** The lowest `coalesceHeartbeatsFrom` of the groups. */
  #fromGroups = Number.POSITIVE_INFINITY;

  /** `ended` is called when the last group has left. */
  constructor(options: NodeHeartbeatsOptions, ended: () => void) {
    this.#options = options;
    this.#ended = ended;
  }

  /** Whether the groups that have joined have this ticker and this interval. */
  hasTiming(ticker: Ticker, heartbeatTicks: number): boolean {
    return this.#options.ticker === ticker && this.#options.heartbeatTicks === heartbeatTicks;
  }

  /** Adds a group. Its heartbeats are coalesced once the node has `fromGroups` groups. */
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

  // GroupReceiver: the transport calls these.

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

  /** Begins a new roster: the peer may come back as an older version that does not know pulses. */
  unreachable(peer: NodeId): void {
    if (this.#outgoing.has(peer)) this.#newRoster(peer);
  }

  describe(): GroupDescription {
    return { role: "FOLLOWER", leader: NONE, highestKnownNodeId: NONE };
  }

  #open(): void {
    if (this.#channel !== undefined) return;
    const { transport, ticker, rng } = this.#options;
    // Random, so that roster numbers differ from those of an earlier process of this node, whose messages may still be under way.
    this.#nextRoster = rng.below(2 ** 32) * 2 ** 16 + 1;
    this.#channel = transport.open(HEARTBEAT_GROUP, this);
    this.#stopTicking = ticker.afterTick((missedTicks) => this.#onTick(missedTicks));
  }

  get #isInUse(): boolean {
    return this.#groups.size >= this.#fromGroups;
  }

  /** Counts ticks as the core does, so that every leading group has made a heartbeat between two pulses (outgoing-roster.ts O1). */
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
    // Moves the peer to the end: the map is in the order in which peers were last heard.
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
    `Group ${HEARTBEAT_GROUP} carries the heartbeats of the nodes and takes no commands or snapshots. Name a group of the application.`,
  );
}
