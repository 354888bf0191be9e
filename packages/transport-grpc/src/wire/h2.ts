/** HTTP/2 as the peer streams use it: sessions, settings, headers, trailers. */

import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import http2 from "node:http2";
import { formatAddress, type HostPort } from "../address.ts";
import type { ExpectedNode, Security } from "../security/security.ts";

export const EXCHANGE_PATH = "/raftoral.v1.PeerService/Exchange";
export const SEND_SNAPSHOT_PATH = "/raftoral.v1.PeerService/SendSnapshot";
export const ASK_PATH = "/raftoral.v1.PeerService/Ask";
export const DELEGATE_SNAPSHOT_PATH = "/raftoral.v1.PeerService/DelegateSnapshot";

/** gRPC's status codes that are used here. */
export const GRPC_OK = 0;
export const GRPC_INVALID_ARGUMENT = 3;
export const GRPC_PERMISSION_DENIED = 7;
export const GRPC_FAILED_PRECONDITION = 9;
export const GRPC_UNAVAILABLE = 14;
export const GRPC_UNAUTHENTICATED = 16;

/**
 * The default window of 64 KiB would allow 64 KiB per round trip. This many bytes may be under way on a stream, and twice as
 * many on a session; it also bounds what a receiver that does not read holds in memory.
 */
export const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
export const SESSION_WINDOW_BYTES = 2 * STREAM_WINDOW_BYTES;
/** Node refuses new streams above this much memory per session, in MB; its default of 10 is less than two windows. */
export const MAX_SESSION_MEMORY_MB = 64;
/** A status text quotes what the caller said; a list of headers ends at 64 KiB. */
const MAX_STATUS_CHARACTERS = 2_000;

/**
 * Connects to a node, encrypted as `security` says; over TLS it must be the node `expected`. Errors come as events of the session
 * (`failureText` has words for them).
 */
export function connectSession(address: HostPort, security: Security, expected: ExpectedNode): ClientHttp2Session {
  return http2.connect(security.authority(address), {
    ...security.clientOptions(address, expected),
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
    settings: { enablePush: false },
  });
}

/** A call on a connection to `address`. */
export interface BegunCall {
  readonly address: HostPort;
  readonly path: string;
  /** What messages with the compressed flag will be compressed with; without it there must be none. */
  readonly encoding?: string | undefined;
}

/**
 * Begins a gRPC call whose messages are framed by the caller. Names the authority: left to itself, Node writes IPv6 addresses without
 * their brackets.
 */
export function beginCall(session: ClientHttp2Session, { address, path, encoding }: BegunCall): ClientHttp2Stream {
  return session.request(
    {
      ":method": "POST",
      ":authority": formatAddress(address),
      ":path": path,
      "content-type": "application/grpc+proto",
      te: "trailers",
      ...(encoding === undefined ? {} : { "grpc-encoding": encoding }),
    },
    { endStream: false },
  );
}

/** What a caller's compressed messages are compressed with: any text, from anybody. */
export function encodingOf(headers: IncomingHttpHeaders): string | undefined {
  const encoding = headers["grpc-encoding"];
  return typeof encoding === "string" ? encoding : undefined;
}

/** Why a call was not taken at all: an HTTP status, or a gRPC status in place of an answer. Undefined if it was taken. */
export function callFailure(headers: IncomingHttpHeaders & { ":status"?: number | undefined }): string | undefined {
  const status = headers[":status"];
  if (status !== 200) return `HTTP status ${status ?? "missing"}; is this a Raftoral node?`;
  return trailerFailure(headers);
}

/** A failure in a call's trailers. Undefined if there is none. */
export function trailerFailure(trailers: IncomingHttpHeaders): string | undefined {
  const code = trailers["grpc-status"];
  if (code === undefined || code === "0") return undefined;
  const text = trailers["grpc-message"];
  return `gRPC status ${code}${typeof text === "string" && text !== "" ? `: ${safeDecode(text)}` : ""}`;
}

/**
 * Answers a call: headers now, trailers with the status when {@link GrpcAnswer.end} is called. Says nothing to a caller that is
 * gone already: a stream may be reset in the packet that opened it.
 */
export class GrpcAnswer {
  readonly #stream: ServerHttp2Stream;
  #status = GRPC_OK;
  #message = "";
  #isEnded = false;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    if (!canAnswer(stream)) return;
    stream.respond({ ":status": 200, "content-type": "application/grpc+proto" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => {
      if (!canAnswer(stream)) return;
      stream.sendTrailers({
        "grpc-status": String(this.#status),
        ...(this.#message === "" ? {} : { "grpc-message": grpcMessage(this.#message) }),
      });
    });
  }

  write(frame: Buffer): void {
    if (this.#stream.writable) this.#stream.write(frame);
  }

  /** Ends the answer; the caller may still be sending. The first status stays, also when the caller ends its side after it. */
  end(status: number, message = ""): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#status = status;
    this.#message = message;
    if (this.#stream.writable) this.#stream.end();
  }
}

/** Whether Node lets a server write headers or trailers to the stream. Otherwise `respond` and `sendTrailers` throw. */
export function canAnswer(stream: ServerHttp2Stream): boolean {
  return !stream.destroyed && !stream.closed && stream.session?.destroyed === false;
}

/** Where a stream's caller is; undefined once its connection has ended, for Node throws when asked then. */
export function remoteOf(stream: ServerHttp2Stream): string | undefined {
  const { session } = stream;
  return session === undefined || session.destroyed ? undefined : session.socket.remoteAddress;
}

/** A text as gRPC carries it in a header: percent-encoded, and no longer than a header may be. */
export function grpcMessage(text: string): string {
  return encodeURIComponent(text.slice(0, MAX_STATUS_CHARACTERS).toWellFormed());
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
