/**
 * What went to and came from one peer: counted in place by the streams, read as a {@link PeerStats} by exporters of metrics.
 *
 * Counting allocates nothing: one slot per message type in arrays of fixed length.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { MessageType, PeerMessageType } from "@raftoral/raft-core/transport";
import type { ConnectionState } from "./peer/connection-state.ts";

/** The types that travel, in the order of the slots. Only MsgSnap never comes here: snapshots have streams of their own. */
const TYPES: readonly PeerMessageType[] = [
  "MsgProp",
  "MsgApp",
  "MsgAppResp",
  "MsgVote",
  "MsgVoteResp",
  "MsgSnap",
  "MsgHeartbeat",
  "MsgHeartbeatResp",
  "MsgTransferLeader",
  "MsgTimeoutNow",
  "MsgReadIndex",
  "MsgReadIndexResp",
  "MsgPreVote",
  "MsgPreVoteResp",
];
const SLOTS: ReadonlyMap<MessageType, number> = new Map(TYPES.map((type, slot) => [type as MessageType, slot]));

/** As in TCP (RFC 6298): a new measurement counts an eighth. */
const SMOOTHING = 1 / 8;

/** Messages and their encoded bytes, by type. */
export class KindTally {
  readonly #messages = new Float64Array(TYPES.length);
  readonly #bytes = new Float64Array(TYPES.length);

  /** Types that do not travel are not counted. */
  add(type: MessageType, bytes: number): void {
    const slot = SLOTS.get(type);
    if (slot === undefined) return;
    this.#messages[slot] = (this.#messages[slot] ?? 0) + 1;
    this.#bytes[slot] = (this.#bytes[slot] ?? 0) + bytes;
  }

  /** The types of which there was any. */
  read(): KindTraffic[] {
    const kinds: KindTraffic[] = [];
    for (const [slot, type] of TYPES.entries()) {
      const messages = this.#messages[slot] ?? 0;
      if (messages > 0) kinds.push({ type, messages, bytes: this.#bytes[slot] ?? 0 });
    }
    return kinds;
  }
}

/** The messages of one type in one direction. */
export interface KindTraffic {
  readonly type: PeerMessageType;
  readonly messages: number;
  /** Encoded, without what frames add, and before compression. */
  readonly bytes: number;
}

/** Of one outgoing stream. */
export interface StreamStats {
  readonly state: ConnectionState;
  /** What waits for the stream. */
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  /** What the stream has taken and the network has not. */
  readonly bufferedBytes: number;
  /** Times it was opened, and how many of those came after an earlier one. */
  readonly opened: number;
  readonly reconnects: number;
  /** Attempts that failed, and open streams that ended. */
  readonly lost: number;
  readonly framesSent: number;
  /** On the wire: framed, compressed. */
  readonly bytesSent: number;
  /** Frames that went out compressed, with their bytes before and after. */
  readonly framesCompressed: number;
  readonly bytesBeforeCompression: number;
  readonly bytesAfterCompression: number;
}

/** One peer, at one moment. All counts are since this node's transport was made. */
export interface PeerStats {
  readonly peer: NodeId;
  /** Undefined for a peer that calls and was not introduced. */
  readonly address: string | undefined;
  readonly control: StreamStats | undefined;
  readonly appends: StreamStats | undefined;
  /** Streams that the peer has open to this node. */
  readonly inboundStreams: number;
  /** Inbound streams that were cut because the peer fell silent. */
  readonly inboundLost: number;
  /** Frames and bytes that came on them, as on the wire. */
  readonly framesReceived: number;
  readonly bytesReceived: number;
  /** The latest ping and its answer, and the smoothed mean; undefined before the first. Of the control stream. */
  readonly roundTripMs: number | undefined;
  readonly smoothedRoundTripMs: number | undefined;
  /** Times that the peer became unreachable. */
  readonly outages: number;
  readonly sent: readonly KindTraffic[];
  readonly received: readonly KindTraffic[];
  /** Never sent: the peer cannot be reached, a queue is full, no frame is large enough. */
  readonly dropped: readonly KindTraffic[];
}

/** The counts of one outgoing stream, raised in place. */
export class StreamTraffic {
  opened = 0;
  lost = 0;
  framesSent = 0;
  bytesSent = 0;
  framesCompressed = 0;
  bytesBeforeCompression = 0;
  bytesAfterCompression = 0;
}

/** The counts of one peer, raised in place. It outlives connections and addresses. */
export class PeerTraffic {
  /** Of the outgoing streams. */
  readonly control = new StreamTraffic();
  readonly appends = new StreamTraffic();
  readonly sent = new KindTally();
  readonly received = new KindTally();
  readonly dropped = new KindTally();
  inboundLost = 0;
  framesReceived = 0;
  bytesReceived = 0;
  outages = 0;
  roundTripMs: number | undefined;
  smoothedRoundTripMs: number | undefined;

  measured(roundTripMs: number): void {
    const before = this.smoothedRoundTripMs ?? roundTripMs;
    this.roundTripMs = roundTripMs;
    this.smoothedRoundTripMs = before + (roundTripMs - before) * SMOOTHING;
  }
}
