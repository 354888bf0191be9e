/** What a node's transport did so far. Plain numbers, raised in place. */

/** Counts of one node since its transport was made. */
export interface TransportCounters {
  /** Frames and the messages in them that were handed to a connection. */
  framesSent: number;
  messagesSent: number;
  bytesSent: number;
  framesReceived: number;
  messagesReceived: number;
  bytesReceived: number;
  /** Messages that did not fit a queue, were too large, or had a peer that cannot be reached. */
  messagesDropped: number;
  /** Messages that came in for a group that is not open here. */
  messagesUnroutable: number;
  /** Frames and requests that were not what the protocol says, too large, or from a sender that this node does not talk to. */
  framesRejected: number;
  /** Connections on the port that did not speak the protocol at all. */
  sessionsRejected: number;
  /** Outgoing connections that were made, and that failed or ended. */
  connectionsOpened: number;
  connectionsLost: number;
  snapshotsSent: number;
  snapshotsReceived: number;
  snapshotsFailed: number;
  /** Snapshots put off because of a limit, here or at the receiver; they come again. */
  snapshotsPutOff: number;
  /** Attempts to go on with a snapshot whose connection was cut. */
  snapshotsResumed: number;
  /** Content of snapshots, before compression. */
  snapshotBytesSent: number;
  snapshotBytesReceived: number;
}

/** Counters that all stand at 0. */
export function newCounters(): TransportCounters {
  return {
    framesSent: 0,
    messagesSent: 0,
    bytesSent: 0,
    framesReceived: 0,
    messagesReceived: 0,
    bytesReceived: 0,
    messagesDropped: 0,
    messagesUnroutable: 0,
    framesRejected: 0,
    sessionsRejected: 0,
    connectionsOpened: 0,
    connectionsLost: 0,
    snapshotsSent: 0,
    snapshotsReceived: 0,
    snapshotsFailed: 0,
    snapshotsPutOff: 0,
    snapshotsResumed: 0,
    snapshotBytesSent: 0,
    snapshotBytesReceived: 0,
  };
}
