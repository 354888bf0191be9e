/**
 * HTTP/2 by hand: frames as bytes over a socket, for what no client library would send.
 *
 * Header blocks are made of literals without indexing and without Huffman coding, so any bytes can be a name or a value.
 */
import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";

/** The first bytes of each HTTP/2 connection. */
export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

/** Frame types of RFC 9113, section 6. */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Frame flags of RFC 9113, section 6. END_STREAM and ACK share a bit. */
export const FLAG = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** A name and a value; characters above 0xff are cut to a byte. */
export type HeaderField = readonly [name: string, value: string];

/** One frame: length, type, flags, stream, payload. */
export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId >>> 0, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** The block of a HEADERS or CONTINUATION frame. */
export function headerBlock(fields: readonly HeaderField[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]));
}

/** The payload of a SETTINGS frame. */
export function settings(values: readonly (readonly [id: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(values.length * 6);
  values.forEach(([id, value], at) => {
    bytes.writeUInt16BE(id, at * 6);
    bytes.writeUInt32BE(value >>> 0, at * 6 + 2);
  });
  return bytes;
}

/** A number as the payload of WINDOW_UPDATE and RST_STREAM. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Preface and an empty SETTINGS frame: a connection in order. */
export const OPENING: Buffer = Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]);

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([integer(bytes.length), bytes]);
}

/** An HPACK integer with a prefix of seven bits, whose eighth bit (Huffman) is 0. */
function integer(value: number): Buffer {
  if (value < 127) return Buffer.of(value);
  const bytes = [127];
  let rest = value - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}

/** How a raw connection ends. */
export type Farewell = "reset" | "end" | "wait";

/** Bytes to send on one connection, and how to end it. */
export interface RawConversation {
  readonly address: string;
  /** Speak TLS; no certificate is verified. */
  readonly tls?: boolean;
  /** Written one after the other, each in a turn of the event loop of its own. */
  readonly pieces: readonly Uint8Array[];
  /** Reset the connection or end this half of it after the last piece, or wait for the other side (`wait`). */
  readonly farewell: Farewell;
  /** Milliseconds after which a connection that the other side keeps open is reset. */
  readonly patienceMs: number;
}

/** Has one conversation to its end. Resolves with the bytes that came back. Never rejects. */
export async function converse({
  address,
  tls: isTls,
  pieces,
  farewell,
  patienceMs,
}: RawConversation): Promise<Buffer> {
  const { hostname, port } = new URL(`http://${address}`);
  const at = { host: hostname.replace(/^\[|\]$/g, ""), port: Number(port) };
  const socket =
    isTls === true ? tls.connect({ ...at, rejectUnauthorized: false, ALPNProtocols: ["h2"] }) : net.connect(at);
  const received: Buffer[] = [];
  socket.on("data", (piece: Buffer) => received.push(piece));
  socket.on("error", () => {});
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const connected = once(socket, isTls === true ? "secureConnect" : "connect").then(
    () => true,
    () => false,
  );
  if (await Promise.race([connected, closed.then(() => false)])) {
    for (const piece of pieces) {
      if (!socket.writable) break;
      socket.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (farewell === "reset") socket instanceof tls.TLSSocket ? socket.destroy() : socket.resetAndDestroy();
    if (farewell === "end") socket.end();
  }
  const patience = setTimeout(() => socket.destroy(), patienceMs);
  await closed;
  clearTimeout(patience);
  return Buffer.concat(received);
}
