/** The state of a stream to a peer, by its name. `peer-stream.ts` has what belongs to each. */
export type ConnectionState =
  /** Nothing to send so far, or the peer said that it is there: the next message connects. */
  | "disconnected"
  /** Appends only: waits until the control stream is open. */
  | "waiting"
  /** Being connected. */
  | "connecting"
  /** Connected; the peer has not yet answered the hello. */
  | "handshaking"
  /** Messages flow. */
  | "open"
  /** The last attempt failed, or the connection was lost; another follows. */
  | "backoff"
  /** The peer wants nothing of this node; asked again later. */
  | "refused"
  /** The peer was removed or moved, or the transport closed. For good. */
  | "closed";
