/** What a node's transport shows of each peer: traffic by kind, what waits, what was dropped, how long a round trip takes. */
import type { NodeId } from "@raftoral/raft-core";
import { type Attributes, counter, gauge, type MetricSource, type Observe, updown } from "./metric.ts";

const PEER = "raftoral.peer.id";
const TYPE = "raftoral.message.type";
const STREAM = "raftoral.stream";
/** Of OpenTelemetry's conventions for network I/O: `transmit` or `receive`. */
const DIRECTION = "network.io.direction";
const SENT: Attributes = { [DIRECTION]: "transmit" };
const RECEIVED: Attributes = { [DIRECTION]: "receive" };

export const TRANSPORT_METRICS = {
  messages: counter("raftoral.peer.messages", "{message}", "Raft messages, by type", [PEER, DIRECTION, TYPE]),
  messageBytes: counter("raftoral.peer.message.io", "By", "Raft messages as encoded, by type", [PEER, DIRECTION, TYPE]),
  wireBytes: counter("raftoral.peer.io", "By", "Frames on peer streams, framed and compressed", [PEER, DIRECTION]),
  frames: counter("raftoral.peer.frames", "{frame}", "Frames on peer streams", [PEER, DIRECTION]),
  dropped: counter("raftoral.peer.messages.dropped", "{message}", "Messages that were never sent, by type", [
    PEER,
    TYPE,
  ]),
  queuedMessages: updown("raftoral.peer.queue.messages", "{message}", "Messages that wait for a stream", [
    PEER,
    STREAM,
  ]),
  queuedBytes: updown("raftoral.peer.queue.size", "By", "Bytes that wait for a stream or its socket", [PEER, STREAM]),
  connected: gauge("raftoral.peer.connected", "{state}", "1 while a stream to the peer is open", [PEER, STREAM]),
  reconnects: counter("raftoral.peer.reconnects", "{connection}", "Streams opened after an earlier one", [
    PEER,
    STREAM,
  ]),
  lost: counter("raftoral.peer.connections.lost", "{connection}", "Attempts that failed, streams that ended", [
    PEER,
    STREAM,
  ]),
  outages: counter("raftoral.peer.outages", "{outage}", "Times that the peer became unreachable", [PEER]),
  roundTrip: gauge("raftoral.peer.round_trip", "s", "Smoothed round trip of pings to the peer", [PEER]),
  compression: gauge("raftoral.peer.compression", "1", "Size of compressed frames by their size before", [
    PEER,
    STREAM,
  ]),
  unroutable: counter(
    "raftoral.transport.messages.unroutable",
    "{message}",
    "Messages for a group that is not open here",
  ),
  framesRejected: counter("raftoral.transport.frames.rejected", "{frame}", "Frames and requests that were refused"),
  sessionsRejected: counter("raftoral.transport.sessions.rejected", "{session}", "Connections that spoke no gRPC"),
  snapshots: counter("raftoral.snapshot.transfers", "{snapshot}", "Snapshots that arrived as a whole", [DIRECTION]),
  snapshotBytes: counter("raftoral.snapshot.io", "By", "Content of snapshots, uncompressed, also while they travel", [
    DIRECTION,
  ]),
  snapshotFailures: counter(
    "raftoral.snapshot.failures",
    "{snapshot}",
    "Snapshots sent or received that did not arrive",
  ),
  snapshotsPutOff: counter(
    "raftoral.snapshot.put_off",
    "{snapshot}",
    "Snapshots that a limit made wait; they come again",
  ),
  snapshotsResumed: counter("raftoral.snapshot.resumed", "{attempt}", "Attempts to go on with a snapshot that was cut"),
} as const;

interface Traffic {
  readonly type: string;
  readonly messages: number;
  readonly bytes: number;
}

interface Stream {
  readonly state: string;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly bufferedBytes: number;
  readonly reconnects: number;
  readonly lost: number;
  readonly framesSent: number;
  readonly bytesSent: number;
  readonly bytesBeforeCompression: number;
  readonly bytesAfterCompression: number;
}

/** What is known of one peer; the gRPC transport's `PeerStats` is one. */
export interface MeasuredPeer {
  readonly peer: NodeId;
  readonly control: Stream | undefined;
  readonly appends: Stream | undefined;
  readonly framesReceived: number;
  readonly bytesReceived: number;
  readonly smoothedRoundTripMs: number | undefined;
  readonly outages: number;
  readonly sent: readonly Traffic[];
  readonly received: readonly Traffic[];
  readonly dropped: readonly Traffic[];
}

/** What is needed of a transport that can be measured; others show nothing. */
export interface MeasuredTransport {
  peerStats?(nodeId: NodeId): readonly MeasuredPeer[];
  counters(nodeId: NodeId): {
    readonly messagesUnroutable: number;
    readonly framesRejected: number;
    readonly sessionsRejected: number;
    readonly snapshotsSent: number;
    readonly snapshotsReceived: number;
    readonly snapshotsFailed: number;
    readonly snapshotsPutOff: number;
    readonly snapshotsResumed: number;
    readonly snapshotBytesSent: number;
    readonly snapshotBytesReceived: number;
  };
}

/** The metrics of a transport, read from its counters at each look. */
export class TransportMetrics implements MetricSource {
  #transport: MeasuredTransport | undefined;
  #nodeId: NodeId = 0;

  watch(nodeId: NodeId, transport: MeasuredTransport): void {
    this.#nodeId = nodeId;
    this.#transport = transport;
  }

  collect(observe: Observe): void {
    if (this.#transport === undefined) return;
    const counters = this.#transport.counters(this.#nodeId);
    observe(TRANSPORT_METRICS.unroutable, counters.messagesUnroutable);
    observe(TRANSPORT_METRICS.framesRejected, counters.framesRejected);
    observe(TRANSPORT_METRICS.sessionsRejected, counters.sessionsRejected);
    observe(TRANSPORT_METRICS.snapshots, counters.snapshotsSent, SENT);
    observe(TRANSPORT_METRICS.snapshots, counters.snapshotsReceived, RECEIVED);
    observe(TRANSPORT_METRICS.snapshotBytes, counters.snapshotBytesSent, SENT);
    observe(TRANSPORT_METRICS.snapshotBytes, counters.snapshotBytesReceived, RECEIVED);
    observe(TRANSPORT_METRICS.snapshotFailures, counters.snapshotsFailed);
    observe(TRANSPORT_METRICS.snapshotsPutOff, counters.snapshotsPutOff);
    observe(TRANSPORT_METRICS.snapshotsResumed, counters.snapshotsResumed);
    for (const peer of this.#transport.peerStats?.(this.#nodeId) ?? []) collectPeer(peer, observe);
  }
}

function collectPeer(peer: MeasuredPeer, observe: Observe): void {
  const of = { [PEER]: peer.peer };
  const sent = { ...of, ...SENT };
  const received = { ...of, ...RECEIVED };
  for (const { type, messages, bytes } of peer.sent) {
    observe(TRANSPORT_METRICS.messages, messages, { ...sent, [TYPE]: type });
    observe(TRANSPORT_METRICS.messageBytes, bytes, { ...sent, [TYPE]: type });
  }
  for (const { type, messages, bytes } of peer.received) {
    observe(TRANSPORT_METRICS.messages, messages, { ...received, [TYPE]: type });
    observe(TRANSPORT_METRICS.messageBytes, bytes, { ...received, [TYPE]: type });
  }
  for (const { type, messages } of peer.dropped) observe(TRANSPORT_METRICS.dropped, messages, { ...of, [TYPE]: type });
  let framesSent = 0;
  let bytesSent = 0;
  for (const name of ["control", "appends"] as const) {
    const stream = peer[name];
    if (stream === undefined) continue;
    framesSent += stream.framesSent;
    bytesSent += stream.bytesSent;
    collectStream(stream, { ...of, [STREAM]: name }, observe);
  }
  observe(TRANSPORT_METRICS.frames, framesSent, sent);
  observe(TRANSPORT_METRICS.wireBytes, bytesSent, sent);
  observe(TRANSPORT_METRICS.frames, peer.framesReceived, received);
  observe(TRANSPORT_METRICS.wireBytes, peer.bytesReceived, received);
  observe(TRANSPORT_METRICS.outages, peer.outages, of);
  const { smoothedRoundTripMs } = peer;
  if (smoothedRoundTripMs !== undefined) observe(TRANSPORT_METRICS.roundTrip, smoothedRoundTripMs / 1000, of);
}

function collectStream(stream: Stream, attributes: Attributes, observe: Observe): void {
  observe(TRANSPORT_METRICS.connected, stream.state === "open" ? 1 : 0, attributes);
  observe(TRANSPORT_METRICS.queuedMessages, stream.queuedMessages, attributes);
  observe(TRANSPORT_METRICS.queuedBytes, stream.queuedBytes + stream.bufferedBytes, attributes);
  observe(TRANSPORT_METRICS.reconnects, stream.reconnects, attributes);
  observe(TRANSPORT_METRICS.lost, stream.lost, attributes);
  if (stream.bytesBeforeCompression > 0) {
    const ratio = stream.bytesAfterCompression / stream.bytesBeforeCompression;
    observe(TRANSPORT_METRICS.compression, ratio, attributes);
  }
}
