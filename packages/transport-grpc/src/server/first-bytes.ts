/**
 * Which protocol a connection speaks, by its first bytes.
 *
 * FB1. The bytes that were read to know are put back, in their order.
 * FB2. At most three bytes are waited for. A connection that does not send them in time ends; the caller of {@link whenKnown} sees to it.
 */
import type { Socket } from "node:net";

/** What a connection begins with. */
export type FirstProtocol = "tls" | "http1" | "http2";

/** First byte of a TLS connection: a handshake record. */
const TLS_HANDSHAKE = 22;
/** What each HTTP/2 connection begins with, and no request of HTTP/1.1 does. */
const HTTP2 = "PRI";
const [UPPER_A, UPPER_Z] = [0x41, 0x5a];

/** What these bytes are the beginning of; undefined while they may be several. Neither: taken for HTTP/2, which says what is wrong. */
export function protocolOf(bytes: Uint8Array): FirstProtocol | undefined {
  const [first] = bytes;
  if (first === undefined) return undefined;
  if (first === TLS_HANDSHAKE) return "tls";
  const head = String.fromCharCode(...bytes.subarray(0, HTTP2.length));
  if (HTTP2.startsWith(head)) return head.length < HTTP2.length ? undefined : "http2";
  return first >= UPPER_A && first <= UPPER_Z ? "http1" : "http2";
}

/** Calls back once it is known what a connection speaks, with the bytes put back (FB1). Never for one that ends before. */
export function whenKnown(socket: Socket, fn: (protocol: FirstProtocol) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const look = (): void => {
    const piece: Buffer | null = socket.read();
    if (piece !== null) seen = seen.length === 0 ? piece : Buffer.concat([seen, piece]);
    const protocol = protocolOf(seen);
    if (protocol === undefined) {
      if (!socket.readableEnded) socket.once("readable", look);
      return;
    }
    socket.unshift(seen);
    fn(protocol);
  };
  socket.once("readable", look);
}
