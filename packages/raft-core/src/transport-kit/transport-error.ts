/** The errors of transports. Every transport uses the same codes, so that one transport can replace another. */
import { brand, RaftoralError } from "../errors.ts";

/** The codes of a {@link TransportError}. */
export type TransportErrorCode =
  /** Another process listens on the address. */
  | "TRANSPORT_ADDRESS_IN_USE"
  /** Not `host:port`, or a host that has no address on this machine. */
  | "TRANSPORT_ADDRESS_INVALID"
  /** The transport, or this node's place on it, was closed. */
  | "TRANSPORT_CLOSED"
  /** No connection to the peer could be made or kept. */
  | "TRANSPORT_PEER_UNREACHABLE"
  /** The peer answered and refuses the connection; `details.reason` says why. */
  | "TRANSPORT_PEER_REFUSED"
  /** The peer did not take a snapshot, or could not store it. */
  | "TRANSPORT_SNAPSHOT_REJECTED"
  /** This node sends as many snapshots as it may. */
  | "TRANSPORT_SNAPSHOT_LIMIT"
  /** The peer does not answer a request of the application, or the transport carries none. */
  | "TRANSPORT_REQUEST_REFUSED"
  /** Bytes that do not follow the protocol. */
  | "TRANSPORT_FRAME_INVALID"
  /** A frame or message beyond the configured bound. */
  | "TRANSPORT_FRAME_TOO_LARGE"
  /** Plaintext on an address that other machines can reach, without an option that allows it. */
  | "TRANSPORT_PLAINTEXT_REFUSED"
  /** No encrypted connection: the two sides do not accept each other's certificates, or one of them uses plaintext. */
  | "TRANSPORT_TLS_FAILED"
  /** Certificates, keys or lists that cannot be read or do not fit together. */
  | "TRANSPORT_TLS_INVALID"
  /** A client's request was answered with a failure. */
  | "TRANSPORT_REQUEST_FAILED";

/** A failure that a transport reports to its caller. */
export class TransportError extends RaftoralError<TransportErrorCode> {
  static {
    brand(TransportError, "TransportError");
  }

  override readonly name = "TransportError";
}
