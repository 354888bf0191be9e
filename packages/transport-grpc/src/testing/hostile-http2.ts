/** What a stranger may write to an HTTP/2 port: known attacks, and conversations chosen by a seed. */
import type { Rng } from "@raftoral/raft-core";
import {
  type Farewell,
  FLAG,
  FRAME,
  frame,
  type HeaderField,
  headerBlock,
  OPENING,
  PREFACE,
  settings,
  uint32,
} from "./raw-http2.ts";

/** What is written, piece by piece, and how the connection ends. */
export interface HostileConversation {
  readonly name: string;
  readonly pieces: readonly Uint8Array[];
  readonly farewell: Farewell;
}

/** Each path leads to other code. */
export const PATHS: readonly string[] = [
  "/raftoral.v1.PeerService/Exchange",
  "/raftoral.v1.PeerService/SendSnapshot",
  "/raftoral.v1.PeerService/DelegateSnapshot",
  "/raftoral.RaftService/Discover",
  "/raftoral.RaftService/SendMessage",
  "/grpc.health.v1.Health/Check",
  "/grpc.health.v1.Health/Watch",
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
  "/no/such",
];

const AUTHORITIES: readonly string[] = [
  "[",
  "]",
  "%zz",
  "127.0.0.1:99999",
  "::1:5001",
  "[::1]:5001",
  "a b",
  "",
  "@",
  "user:password@host:1",
  "host:port",
  "http://host",
  "\u0080\u00ff",
  "x".repeat(5_000),
];
const ODD_PATHS: readonly string[] = [
  "",
  "*",
  "//[",
  "http://[",
  "/raftoral.RaftService/Discover?%zz",
  "/raftoral.RaftService/Discover?[",
  "/raftoral.RaftService/Discover#[",
  "/raftoral.RaftService/Discover ",
  "\\",
  `/${"x".repeat(10_000)}`,
];
const METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS", "CONNECT", "PUT", "PRI", "", "post", "P OST", "\u0000"];
const SCHEMES: readonly string[] = ["https", "ftp", "", "[", "\u0000"];
const CONTENT_TYPES: readonly string[] = [
  "",
  "application/json",
  "application/proto",
  "application/connect+proto",
  "application/grpc",
  "application/grpc-web+proto",
  "application/grpc+json",
  "application/grpc+\u00ff",
  "\u0000",
];
const ODD_FIELDS: readonly HeaderField[] = [
  [":authority", "twice"],
  [":status", "200"],
  [":protocol", "websocket"],
  [":", ""],
  ["", ""],
  ["Upper-Case", "1"],
  ["a b", "1"],
  ["\u0000", "\u0000"],
  ["\u00ff", "\u00ff"],
  ["connection", "close"],
  ["transfer-encoding", "chunked"],
  ["upgrade", "h2c"],
  ["host", "["],
  ["content-length", "1"],
  ["content-length", "-1"],
  ["content-length", "99999999999999999999"],
  ["te", "gzip"],
  ["expect", "100-continue"],
  ["cookie", "a=b; c=d"],
  ["__proto__", "1"],
  ["constructor", "1"],
  ["to-string", "1"],
  ["grpc-timeout", "-1S"],
  ["grpc-timeout", "99999999999H"],
  ["grpc-timeout", "\u00ff"],
  ["grpc-timeout", "0n"],
  ["connect-timeout-ms", "NaN"],
  ["connect-timeout-ms", "-1"],
  ["connect-protocol-version", "9"],
  ["grpc-encoding", "constructor"],
  ["grpc-encoding", "gzip"],
  ["grpc-accept-encoding", ",,,,"],
  ["raftoral-group", "1e999"],
  ["value", "line\r\nbreak"],
  ["value-bin", "!!!"],
  ["grpc-status-details-bin", "!!!"],
  ["long", "v".repeat(20_000)],
];

/** The fields of a call in order; `changed` replaces or, with undefined, leaves out. */
function callFields(path: string, changed: Readonly<Record<string, string | undefined>> = {}): readonly HeaderField[] {
  const fields: Readonly<Record<string, string | undefined>> = {
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "node",
    "content-type": "application/grpc+proto",
    te: "trailers",
    ...changed,
  };
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}

function headers(streamId: number, fields: readonly HeaderField[], flags: number = FLAG.endHeaders): Buffer {
  return frame(FRAME.headers, flags, streamId, headerBlock(fields));
}

/** Conversations that begin in order, one for each path, with one thing that is odd. */
function callsWith(
  what: string,
  farewell: Farewell,
  pieces: (path: string) => readonly Uint8Array[],
): readonly HostileConversation[] {
  return PATHS.map((path) => ({ name: `${what}: ${path}`, pieces: [OPENING, ...pieces(path)], farewell }));
}

const EMPTY_MESSAGE = frame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(5));

/** Attacks with a name. */
export function knownAttacks(): readonly HostileConversation[] {
  const oneOff = (name: string, ...pieces: readonly Uint8Array[]): HostileConversation => {
    return { name, pieces, farewell: "end" };
  };
  const reset = frame(FRAME.rstStream, 0, 1, uint32(8));
  const open = headers(1, callFields(PATHS[0] ?? ""));
  return [
    ...AUTHORITIES.flatMap((authority) =>
      callsWith(`:authority ${JSON.stringify(authority.slice(0, 20))}`, "end", (path) => [
        Buffer.concat([headers(1, callFields(path, { ":authority": authority })), EMPTY_MESSAGE]),
      ]),
    ),
    ...callsWith("no :authority", "end", (path) => [
      Buffer.concat([headers(1, callFields(path, { ":authority": undefined })), EMPTY_MESSAGE]),
    ]),
    ...callsWith("reset in the same packet", "end", (path) => [Buffer.concat([headers(1, callFields(path)), reset])]),
    ...callsWith("connection reset behind the headers", "reset", (path) => [headers(1, callFields(path))]),
    ...callsWith("connection ended behind the headers", "end", (path) => [headers(1, callFields(path))]),
    ...callsWith("GOAWAY in the same packet", "reset", (path) => [
      Buffer.concat([headers(1, callFields(path)), frame(FRAME.goAway, 0, 0, Buffer.alloc(8))]),
    ]),
    ...callsWith("a broken frame in the same packet", "end", (path) => [
      Buffer.concat([headers(1, callFields(path)), frame(FRAME.ping, 0, 0, Buffer.alloc(3))]),
    ]),
    ...callsWith("the end of the stream with the headers", "end", (path) => [
      headers(1, callFields(path), FLAG.endHeaders | FLAG.endStream),
    ]),
    ...callsWith("trailers that are pseudo-headers", "end", (path) => [
      headers(1, callFields(path)),
      headers(1, [[":path", "/"]], FLAG.endHeaders | FLAG.endStream),
    ]),
    ...callsWith("a thousand calls, each reset at once", "end", (path) =>
      Array.from({ length: 100 }, (_, packet) =>
        Buffer.concat(
          Array.from({ length: 10 }, (__, at) => {
            const streamId = 1 + 2 * (packet * 10 + at);
            return Buffer.concat([headers(streamId, callFields(path)), frame(FRAME.rstStream, 0, streamId, uint32(8))]);
          }),
        ),
      ),
    ),
    ...callsWith("a window of nothing", "end", (path) => [
      frame(FRAME.settings, 0, 0, settings([[4, 0]])),
      Buffer.concat([headers(1, callFields(path)), EMPTY_MESSAGE]),
      frame(FRAME.windowUpdate, 0, 1, uint32(0)),
    ]),
    oneOff("no preface", Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n")),
    oneOff("noise", Buffer.alloc(100, 0xee)),
    oneOff("a TLS handshake that is none", Buffer.from("160301020001", "hex"), Buffer.alloc(512, 7)),
    oneOff("half a preface", PREFACE.subarray(0, 10)),
    oneOff("nothing"),
    oneOff("SETTINGS of five bytes", PREFACE, frame(FRAME.settings, 0, 0, Buffer.alloc(5))),
    oneOff("SETTINGS of a stream", PREFACE, frame(FRAME.settings, 0, 1)),
    oneOff("SETTINGS with ACK and content", OPENING, frame(FRAME.settings, FLAG.ack, 0, settings([[1, 1]]))),
    oneOff("ACKs of no SETTINGS", OPENING, ...Array.from({ length: 50 }, () => frame(FRAME.settings, FLAG.ack, 0))),
    oneOff("SETTINGS out of range", PREFACE, frame(FRAME.settings, 0, 0, settings([[4, 2 ** 31]]))),
    oneOff("a frame size out of range", PREFACE, frame(FRAME.settings, 0, 0, settings([[5, 1]]))),
    oneOff("ENABLE_PUSH of 5", PREFACE, frame(FRAME.settings, 0, 0, settings([[2, 5]]))),
    oneOff(
      "thousands of SETTINGS",
      OPENING,
      Buffer.concat(Array.from({ length: 5_000 }, () => frame(FRAME.settings, 0, 0, settings([[3, 1]])))),
    ),
    oneOff(
      "thousands of PINGs",
      OPENING,
      Buffer.concat(Array.from({ length: 5_000 }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)))),
    ),
    oneOff(
      "thousands of CONTINUATIONs",
      OPENING,
      frame(FRAME.headers, 0, 1, headerBlock(callFields(PATHS[0] ?? ""))),
      ...Array.from({ length: 100 }, (_, packet) =>
        Buffer.concat(
          Array.from({ length: 50 }, (__, at) =>
            frame(FRAME.continuation, 0, 1, headerBlock([[`x-${packet}-${at}`, "y".repeat(100)]])),
          ),
        ),
      ),
    ),
    oneOff("CONTINUATION of nothing", OPENING, frame(FRAME.continuation, FLAG.endHeaders, 1, Buffer.alloc(3))),
    oneOff("DATA of no stream", OPENING, frame(FRAME.data, 0, 1, Buffer.alloc(5))),
    oneOff("DATA behind the end", OPENING, open, EMPTY_MESSAGE, EMPTY_MESSAGE),
    oneOff("padding longer than its frame", OPENING, open, frame(FRAME.data, FLAG.padded, 1, Buffer.of(200, 0))),
    oneOff("HEADERS of padding alone", OPENING, frame(FRAME.headers, FLAG.padded | FLAG.endHeaders, 1, Buffer.of(9))),
    oneOff("a stream that depends on itself", OPENING, open, frame(FRAME.priority, 0, 1, Buffer.of(0, 0, 0, 1, 5))),
    oneOff("PUSH_PROMISE of a client", OPENING, open, frame(FRAME.pushPromise, FLAG.endHeaders, 1, uint32(2))),
    oneOff("a stream of even number", OPENING, headers(2, callFields(PATHS[0] ?? ""))),
    oneOff("streams that go backwards", OPENING, headers(9, callFields("/")), headers(3, callFields("/"))),
    oneOff("a window above 2^31", OPENING, open, frame(FRAME.windowUpdate, 0, 1, uint32(2 ** 31 - 1))),
    oneOff("a frame of 16 MB", OPENING, Buffer.from("ffffff000000000001", "hex"), Buffer.alloc(20_000)),
    oneOff("a frame of no known type", OPENING, frame(0xee, 0xff, 1, Buffer.alloc(20)), open),
    oneOff("a block that HPACK cannot read", OPENING, frame(FRAME.headers, FLAG.endHeaders, 1, Buffer.alloc(9, 0xff))),
    oneOff(
      "a list of headers above all limits",
      OPENING,
      headers(1, [
        ...callFields(PATHS[0] ?? ""),
        ...Array.from({ length: 100 }, (_, at) => [`x-${at}`, "y".repeat(100)] as const),
      ]),
    ),
    oneOff("an ALTSVC and an ORIGIN", OPENING, frame(10, 0, 0, Buffer.of(0, 1, 97, 98)), frame(12, 0, 0)),
  ];
}

const FAREWELLS: readonly Farewell[] = ["reset", "end"];

/** A conversation chosen by `rng`: a call with odd headers, frames that follow it, cut into packets anywhere. */
export function randomConversation(rng: Rng): HostileConversation {
  const pick = <Value>(values: readonly Value[]): Value => values[rng.below(values.length)] as Value;
  const sometimes = <Value>(oneIn: number, odd: () => Value, usual: Value): Value =>
    rng.below(oneIn) === 0 ? odd() : usual;
  const fields = (): HeaderField[] => {
    const path = pick(PATHS);
    const list = [
      ...callFields(path, {
        ":method": sometimes(6, () => pick(METHODS), "POST"),
        ":scheme": sometimes(6, () => pick(SCHEMES), "http"),
        ":path": sometimes(6, () => pick(ODD_PATHS), path),
        ":authority": sometimes(2, () => pick(AUTHORITIES), "node"),
        "content-type": sometimes(3, () => pick(CONTENT_TYPES), "application/grpc+proto"),
      }),
    ];
    for (let left = rng.below(4); left > 0; left -= 1) {
      list.splice(
        sometimes(4, () => rng.below(list.length + 1), list.length),
        0,
        pick(ODD_FIELDS),
      );
    }
    if (rng.below(8) === 0) list.splice(rng.below(list.length), 1);
    return list;
  };
  const noise = (maxBytes: number): Buffer =>
    Buffer.from(Array.from({ length: rng.below(maxBytes + 1) }, () => rng.below(256)));
  const streamId = 1 + 2 * rng.below(2);
  const follow = (): Buffer => {
    switch (rng.below(10)) {
      case 0:
        return frame(FRAME.rstStream, 0, streamId, uint32(rng.below(20)));
      case 1:
        return headers(streamId, sometimes(2, fields, []), rng.below(64));
      case 2:
        return frame(FRAME.windowUpdate, 0, pick([0, streamId]), uint32(pick([0, 1, 2 ** 31 - 1, 2 ** 32 - 1])));
      case 3:
        return frame(FRAME.settings, rng.below(2), 0, settings([[rng.below(9), pick([0, 1, 2 ** 31, 2 ** 32 - 1])]]));
      case 4:
        return frame(FRAME.goAway, 0, 0, Buffer.concat([uint32(rng.below(5)), uint32(rng.below(20)), noise(9)]));
      case 5:
        return frame(rng.below(14), rng.below(256), rng.below(6), noise(30));
      default:
        return frame(
          FRAME.data,
          rng.below(2),
          streamId,
          sometimes(3, () => noise(60), Buffer.alloc(5)),
        );
    }
  };
  const call = headers(
    streamId,
    fields(),
    sometimes(5, () => rng.below(64), FLAG.endHeaders),
  );
  const bytes = Buffer.concat([
    sometimes(20, () => noise(60), OPENING),
    call,
    ...Array.from({ length: rng.below(5) }, follow),
  ]);
  return { name: "random", pieces: cut(bytes, rng), farewell: pick(FAREWELLS) };
}

/** The same bytes in one to three packets. */
function cut(bytes: Buffer, rng: Rng): readonly Buffer[] {
  const at = [rng.below(bytes.length + 1), rng.below(bytes.length + 1)].sort((a, b) => a - b);
  if (rng.below(2) === 0) return [bytes];
  return [bytes.subarray(0, at[0]), bytes.subarray(at[0], at[1]), bytes.subarray(at[1])];
}

const STATUSES: readonly string[] = ["200", "404", "0", "99", "1000", "-1", "abc", "", "103", "101", "\u0000"];
const ANSWER_FIELDS: readonly HeaderField[] = [
  ...ODD_FIELDS,
  [":path", "/"],
  ["content-type", "application/grpc+proto"],
  ["content-type", "text/html"],
  ["grpc-status", "0"],
  ["grpc-status", "99"],
  ["grpc-status", "x"],
  ["grpc-message", "%zz"],
  ["grpc-message", "%e2%28%a1"],
  ["connect-content-encoding", "gzip"],
];

/** What a server that is not trusted may write to those that connect to it, chosen by `rng`. */
export function randomAnswer(rng: Rng): HostileConversation {
  const pick = <Value>(values: readonly Value[]): Value => values[rng.below(values.length)] as Value;
  const noise = (maxBytes: number): Buffer =>
    Buffer.from(Array.from({ length: rng.below(maxBytes + 1) }, () => rng.below(256)));
  const streamId = pick([1, 1, 1, 3, 2, 0]);
  const fields = (): readonly HeaderField[] => [
    ...(rng.below(5) === 0 ? [] : [[":status", pick(STATUSES)] as const]),
    ...Array.from({ length: rng.below(4) }, () => pick(ANSWER_FIELDS)),
  ];
  const next = (): Buffer => {
    switch (rng.below(12)) {
      case 0:
        return frame(FRAME.rstStream, 0, streamId, uint32(rng.below(20)));
      case 1:
        return frame(
          FRAME.goAway,
          0,
          0,
          Buffer.concat([uint32(pick([0, 1, 2 ** 31 - 1])), uint32(rng.below(20)), noise(9)]),
        );
      case 2:
        return frame(FRAME.settings, rng.below(2), 0, settings([[rng.below(9), pick([0, 1, 2 ** 31, 2 ** 32 - 1])]]));
      case 3:
        return frame(FRAME.pushPromise, FLAG.endHeaders, 1, Buffer.concat([uint32(2), headerBlock(fields())]));
      case 4:
        return frame(FRAME.windowUpdate, 0, pick([0, streamId]), uint32(pick([0, 1, 2 ** 31 - 1, 2 ** 32 - 1])));
      case 5:
        return frame(pick([10, 12, rng.below(256)]), rng.below(256), pick([0, streamId]), noise(30));
      case 6:
        return frame(FRAME.ping, rng.below(2), 0, Buffer.alloc(8));
      case 7:
      case 8:
        return frame(FRAME.data, rng.below(2), streamId, rng.below(2) === 0 ? Buffer.alloc(5) : noise(60));
      default:
        return headers(streamId, fields(), rng.below(3) === 0 ? rng.below(64) : FLAG.endHeaders | rng.below(2));
    }
  };
  const opening = rng.below(10) === 0 ? noise(40) : frame(FRAME.settings, 0, 0);
  const bytes = Buffer.concat([opening, ...Array.from({ length: rng.below(6) }, next)]);
  return { name: "random", pieces: cut(bytes, rng), farewell: pick([...FAREWELLS, "wait"]) };
}
