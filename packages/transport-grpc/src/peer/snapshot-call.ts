/**
 * One SendSnapshot call, on a connection of its own: so that a snapshot is never in the way of messages, not in a queue and not in
 * a socket.
 *
 * Invariants:
 * Y1. A call ends once: with the receiver's last word, or with a failure. Who waits for anything is woken by it.
 * Y2. What waits to be sent is one chunk: {@link SnapshotCall.writeChunk} resolves when its memory is free again.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import { type Clock, type NodeId, TransportError } from "@raftoral/raft-core";
import { formatAddress } from "../address.ts";
import {
  type Refusal,
  SendSnapshotResponseSchema,
  type SnapshotProceed,
  type SnapshotStored,
} from "../gen/raftoral/v1/peer_pb.ts";
import type { LocalNode } from "../local-node.ts";
import { failureText } from "../security/tls-failure.ts";
import { FrameReader } from "../wire/grpc-framing.ts";
import { beginCall, callFailure, connectSession, SEND_SNAPSHOT_PATH, trailerFailure } from "../wire/h2.ts";
import type { DialTarget } from "./dial-target.ts";

const MAX_ANSWER_BYTES = 64 * 1024;
/** How long a receiver that is told that nothing else comes may take to read so. */
const LINGER_MS = 500;

/** The receiver's last word. */
export type SnapshotVerdict =
  | { readonly kind: "stored"; readonly stored: SnapshotStored }
  | { readonly kind: "refused"; readonly refusal: Refusal | undefined };

/** One call (Y1, Y2). Its owner writes the parts and reads `proceed`, `verdict` and `failure` when it is woken. */
export class SnapshotCall {
  /** The receiver wants the snapshot, from there on. */
  proceed: SnapshotProceed | undefined;
  verdict: SnapshotVerdict | undefined;
  /** Why there will be no verdict. */
  failure: TransportError | undefined;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #clock: Clock;
  readonly #to: NodeId;
  readonly #address: string;
  readonly #stopConnectTimer: () => void;
  readonly #waiting = new Set<() => void>();

  constructor(local: LocalNode, to: NodeId, { address, knownAddress }: DialTarget) {
    const { settings, clock } = local;
    this.#clock = clock;
    this.#to = to;
    this.#address = formatAddress(address);
    this.#session = connectSession(address, settings.security, { nodeId: to, knownAddress });
    this.#session.on("error", (error) => this.#cut(failureText(error, this.#address)));
    this.#session.on("close", () => this.#cut("the connection was closed"));
    this.#session.setTimeout(settings.snapshotIdleTimeoutMs, () =>
      this.#cut(`no progress for ${settings.snapshotIdleTimeoutMs} ms`),
    );
    this.#stopConnectTimer = clock.after(settings.connectTimeoutMs, () => {
      if (this.proceed === undefined && this.#session.connecting) {
        this.#cut(`no connection within ${settings.connectTimeoutMs} ms`);
      }
    });
    this.#stream = beginCall(this.#session, { address, path: SEND_SNAPSHOT_PATH });
    this.#listen();
  }

  get isOver(): boolean {
    return this.verdict !== undefined || this.failure !== undefined;
  }

  write(frame: Uint8Array): void {
    if (this.#stream.writable) this.#stream.write(frame);
  }

  /**
   * A header and what it announces, in one piece but for memory. Resolves when `data` has gone to the socket, or the call is over
   * (Y2).
   */
  writeChunk(header: Uint8Array, data: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#stream.writable || this.isOver) {
        resolve();
        return;
      }
      const done = (): void => {
        this.#waiting.delete(onChange);
        resolve();
      };
      const onChange = (): void => {
        if (this.isOver) done();
      };
      this.#waiting.add(onChange);
      this.#stream.cork();
      this.#stream.write(header);
      this.#stream.write(data, done);
      this.#stream.uncork();
    });
  }

  /** Ends the sending half. */
  end(frame: Uint8Array): void {
    if (this.#stream.writable) this.#stream.end(frame);
  }

  /** Resolves when the receiver has said where to go on, or the call is over. */
  async proceeded(): Promise<void> {
    while (this.proceed === undefined && !this.isOver) await this.#change();
  }

  /** Resolves with the verdict. Rejects with the failure. */
  async ended(): Promise<SnapshotVerdict> {
    while (!this.isOver) await this.#change();
    if (this.verdict !== undefined) return this.verdict;
    throw this.failure;
  }

  /** What `work` resolves with; undefined when the call is over before. */
  orOver<Value>(work: Promise<Value>): Promise<Value | undefined> {
    return new Promise((resolve, reject) => {
      const onChange = (): void => {
        if (this.isOver) settle(() => resolve(undefined));
      };
      const settle = (done: () => void): void => {
        this.#waiting.delete(onChange);
        done();
      };
      this.#waiting.add(onChange);
      work.then(
        (value) => settle(() => resolve(value)),
        (error: unknown) => settle(() => reject(error)),
      );
      onChange();
    });
  }

  /** It ends with this failure, unless it has ended. */
  fail(failure: TransportError): void {
    if (this.isOver) return;
    this.failure = failure;
    this.#changed();
  }

  /** Lets go of the connection; with `last`, once that has gone out, if the receiver takes it soon. */
  close(last?: Uint8Array): void {
    this.#stopConnectTimer();
    if (last === undefined || !this.#stream.writable || this.#session.connecting) {
      this.#session.destroy();
      return;
    }
    const cancel = this.#clock.after(LINGER_MS, () => this.#session.destroy());
    this.#session.once("close", cancel);
    this.#stream.end(last, () => this.#session.close());
  }

  #cut(why: string): void {
    this.fail(
      new TransportError(
        "TRANSPORT_PEER_UNREACHABLE",
        `The snapshot for node ${this.#to} at ${this.#address} did not arrive: ${why}`,
        { retryable: true, details: { nodeId: this.#to } },
      ),
    );
  }

  #listen(): void {
    const reader = new FrameReader(MAX_ANSWER_BYTES);
    const cutIf = (failure: string | undefined): void => {
      if (failure !== undefined) this.#cut(failure);
    };
    this.#stream.on("response", (headers) => cutIf(callFailure(headers)));
    this.#stream.on("trailers", (trailers) => cutIf(trailerFailure(trailers)));
    this.#stream.on("error", (error) => this.#cut(failureText(error, this.#address)));
    this.#stream.on("close", () => this.#cut("the stream was closed without an answer"));
    this.#stream.on("data", (piece: Buffer) => {
      try {
        reader.push(piece, (bytes) => this.#answered(bytes));
      } catch (error) {
        this.#cut(`the answer is not what it should be: ${error instanceof Error ? error.message : String(error)}`);
      }
    });
  }

  #answered(bytes: Uint8Array): void {
    if (this.isOver) return;
    const { outcome } = fromBinary(SendSnapshotResponseSchema, bytes);
    if (outcome.case === "proceed") this.proceed ??= outcome.value;
    else if (outcome.case === "stored") this.verdict = { kind: "stored", stored: outcome.value };
    else this.verdict = { kind: "refused", refusal: outcome.value };
    this.#changed();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      const woken = (): void => {
        this.#waiting.delete(woken);
        resolve();
      };
      this.#waiting.add(woken);
    });
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
