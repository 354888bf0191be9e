/**
 * Requests of applications to peers, beside consensus: one connection to each peer that is asked, for these alone.
 *
 * Invariants:
 * RQ1. No request shares a connection with messages of Raft, so however much is asked, nothing else waits behind it.
 * RQ2. A request ends: with the answer, a refusal, or TRANSPORT_PEER_UNREACHABLE after `snapshotIdleTimeoutMs` of silence. With its group, or the node, it ends at once.
 * RQ3. A connection without a request for IDLE_MS is closed. One that fails fails the requests on it; the next request makes another one.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type Cancel, type GroupId, type NodeId, TransportError } from "@raftoral/raft-core";
import { MAX_PEER_REQUEST_BYTES } from "@raftoral/raft-core/transport";
import { formatAddress } from "../address.ts";
import { AskRequestSchema, type AskResponse, AskResponseSchema, RefusalCode } from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalNode } from "../local-node.ts";
import { failureText } from "../security/tls-failure.ts";
import { FrameReader, frameWithField } from "../wire/grpc-framing.ts";
import { ASK_PATH, beginCall, callFailure, connectSession, SESSION_WINDOW_BYTES, trailerFailure } from "../wire/h2.ts";
import { helloTo, refusedError } from "../wire/hello.ts";
import type { DialTarget } from "./dial-target.ts";

/** A connection without a request is kept for this long. */
const IDLE_MS = 10_000;
/** What is around a request or an answer in its frame. */
export const MAX_BYTES_AROUND_REQUEST = 64 * 1024;

/** Of AskRequest. */
const REQUEST_FIELD: number = AskRequestSchema.field.request.number;

/** One connection. */
interface Line {
  readonly session: ClientHttp2Session;
  readonly place: string;
  readonly target: DialTarget;
  /** Requests that wait for their answers; each is told why the connection ended. */
  readonly waiting: Set<(why: string) => void>;
  stopIdle: Cancel;
}

/** The requests that one node sends (RQ1 to RQ3). */
export class PeerRequests {
  readonly #local: LocalNode;
  readonly #lines = new Map<NodeId, Line>();
  /** What ends the requests under way, by their group. */
  readonly #stops = new Map<(error: TransportError) => void, GroupId>();

  constructor(local: LocalNode) {
    this.#local = local;
  }

  /** The peer's answer. Rejects with TRANSPORT_PEER_UNREACHABLE, TRANSPORT_REQUEST_REFUSED, TRANSPORT_PEER_REFUSED, TRANSPORT_CLOSED. */
  async ask(groupId: GroupId, peer: NodeId, request: Uint8Array): Promise<Uint8Array> {
    const line = this.#line(peer);
    const { settings, clock } = this.#local;
    const answer = Promise.withResolvers<Uint8Array>();
    const fail = (why: string): void => answer.reject(unreachable(peer, line.place, why));
    const stop = (error: TransportError): void => answer.reject(error);
    line.stopIdle();
    line.waiting.add(fail);
    this.#stops.set(stop, groupId);
    const stopTimer = clock.after(settings.snapshotIdleTimeoutMs, () =>
      fail(`no answer within ${settings.snapshotIdleTimeoutMs} ms`),
    );
    let stream: ClientHttp2Stream | undefined;
    try {
      stream = beginCall(line.session, { address: line.target.address, path: ASK_PATH });
      const reader = new FrameReader(MAX_PEER_REQUEST_BYTES + MAX_BYTES_AROUND_REQUEST);
      const failIf = (why: string | undefined): void => {
        if (why !== undefined) fail(why);
      };
      stream.on("response", (headers) => failIf(callFailure(headers)));
      stream.on("trailers", (trailers) => failIf(trailerFailure(trailers)));
      stream.on("error", (error) => fail(error.message));
      stream.on("close", () => fail("the call ended without an answer"));
      stream.on("data", (piece: Buffer) => {
        try {
          reader.push(piece, (bytes) => answer.resolve(answerIn(fromBinary(AskResponseSchema, bytes), peer)));
        } catch (error) {
          if (error instanceof TransportError && error.code !== "TRANSPORT_FRAME_INVALID") answer.reject(error);
          else fail(`the answer is not what it should be: ${error instanceof Error ? error.message : String(error)}`);
        }
      });
      stream.end(this.#frame(groupId, peer, request));
      return await answer.promise;
    } finally {
      stopTimer();
      this.#stops.delete(stop);
      line.waiting.delete(fail);
      stream?.close();
      if (line.waiting.size === 0) line.stopIdle = clock.after(IDLE_MS, () => this.#close(peer, line, "idle"));
    }
  }

  /** Ends the requests of one group, or all of them and the connections (RQ2). */
  close(groupId?: GroupId): void {
    const closed = new TransportError(
      "TRANSPORT_CLOSED",
      `Node ${this.#local.nodeId} stops; no peer is asked any more.`,
    );
    for (const [stop, group] of [...this.#stops]) if (groupId === undefined || group === groupId) stop(closed);
    if (groupId !== undefined) return;
    for (const [peer, line] of [...this.#lines]) this.#close(peer, line, "the node stops");
  }

  /** Connections are made again, with the certificates as they are now. */
  reconnect(): void {
    for (const [peer, line] of [...this.#lines]) this.#close(peer, line, "the certificates have changed");
  }

  #line(peer: NodeId): Line {
    const { settings, clock } = this.#local;
    const target = this.#local.peerTarget(peer);
    if (target === undefined) throw unreachable(peer, "no address", "it is not known here");
    const place = formatAddress(target.address);
    const known = this.#lines.get(peer);
    if (known !== undefined && known.place === place && !known.session.destroyed && !known.session.closed) return known;
    if (known !== undefined) this.#close(peer, known, "the peer has moved");
    const session = connectSession(target.address, settings.security, {
      nodeId: peer,
      knownAddress: target.knownAddress,
    });
    const line: Line = { session, place, target, waiting: new Set(), stopIdle: () => {} };
    this.#lines.set(peer, line);
    session.on("connect", () => session.setLocalWindowSize(SESSION_WINDOW_BYTES));
    session.on("error", (error) => this.#close(peer, line, failureText(error, place)));
    session.on("close", () => this.#close(peer, line, "the connection was closed"));
    session.on("goaway", () => this.#close(peer, line, "the peer is shutting down"));
    clock.after(settings.connectTimeoutMs, () => {
      if (session.connecting) this.#close(peer, line, `no connection within ${settings.connectTimeoutMs} ms`);
    });
    return line;
  }

  /** RQ3. */
  #close(peer: NodeId, line: Line, why: string): void {
    if (this.#lines.get(peer) === line) this.#lines.delete(peer);
    line.stopIdle();
    for (const fail of [...line.waiting]) fail(why);
    line.session.destroy();
  }

  #frame(groupId: GroupId, peer: NodeId, request: Uint8Array): Buffer {
    const hello = helloTo(peer, this.#local.identity());
    const message = create(AskRequestSchema, { hello, groupId: BigInt(groupId) });
    return frameWithField(toBinary(AskRequestSchema, message), REQUEST_FIELD, request);
  }
}

/** The answer. Throws what the peer refuses with. */
function answerIn({ outcome }: AskResponse, peer: NodeId): Uint8Array {
  if (outcome.case === "answer") return outcome.value;
  const refusal = outcome.value;
  const isOfRequest =
    refusal === undefined ||
    refusal.code === RefusalCode.REQUEST_REFUSED ||
    refusal.code === RefusalCode.GROUP_UNKNOWN ||
    refusal.code === RefusalCode.SHUTTING_DOWN;
  if (!isOfRequest) throw refusedError(peer, refusal);
  const why = refusal?.message ?? "it answered with nothing that this version knows.";
  throw new TransportError("TRANSPORT_REQUEST_REFUSED", `Node ${peer} did not answer a request: ${why}`, {
    retryable: true,
    details: { nodeId: peer },
  });
}

function unreachable(peer: NodeId, place: string, why: string): TransportError {
  return new TransportError("TRANSPORT_PEER_UNREACHABLE", `Node ${peer} at ${place} cannot be asked: ${why}`, {
    retryable: true,
    details: { nodeId: peer },
  });
}
