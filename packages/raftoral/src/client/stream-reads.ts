/**
 * Reading streams from outside: a call that stays open, and another one at the next offset when it breaks.
 *
 * CR1. A reader gets every chunk once, in order, whichever nodes it comes from: a new call asks for what follows the last chunk that came.
 * CR2. A read ends with the stream or its run, at its limit, at its signal, or with a failure that asking again would not change.
 * CR3. A bounded number of streams is read at once in one client; more wait for their turn.
 */
import { type Cancel, type Clock, RaftError, type RaftoralError } from "@raftoral/raft-core";
import type { CallLimit } from "../api/call-options.ts";
import { type StreamPage, type StreamRequest, streamReadOver } from "../api/streams.ts";
import type { ReadStreamResponse } from "../gen/raftoral/v1/workflow_service_pb.ts";
import { Deadline } from "../time/deadline.ts";
import { pause } from "../time/pause.ts";
import { fromConnectError } from "../wire/connect-errors.ts";
import { chunkFromWire } from "../wire/stream-messages.ts";
import type { Connection } from "./connection.ts";
import type { Failover, SendOptions } from "./failover.ts";
import { Gate } from "./gate.ts";

/** Streams that are read at once. */
const MAX_STREAM_READS = 150;
/** How long a node may take to take a call, in ms. */
const OPEN_MS = 5_000;
/** Pause after a call that failed: the nodes may be starting, or electing. */
const FAILURE_PAUSE_MS = 200;

/** A call that a node has taken. */
interface OpenRead {
  readonly address: string;
  readonly messages: AsyncIterator<ReadStreamResponse>;
  readonly close: () => void;
}

/** The reads of one client. */
export class StreamReads {
  readonly #failover: Failover;
  readonly #clock: Clock;
  readonly #gate: Gate;
  #isClosed = false;

  constructor(failover: Failover, clock: Clock) {
    this.#failover = failover;
    this.#clock = clock;
    this.#gate = new Gate(MAX_STREAM_READS, clock);
  }

  /** Reads that wait for their turn. */
  get waiting(): number {
    return this.#gate.waiting;
  }

  /** Lets every read in that waits, to meet the end of the client. */
  close(): void {
    this.#isClosed = true;
    this.#gate.open();
  }

  /** The pages of a stream as they come. */
  async *read(request: StreamRequest, limit: CallLimit): AsyncGenerator<StreamPage, void, undefined> {
    const deadline = new Deadline(limit, this.#clock);
    const { signal } = limit;
    const isOver = (): boolean => signal?.aborted === true || deadline.leftMs <= 0;
    const what = `Reading stream ${request.stream} of run ${request.runId}`;
    if (!(await this.#gate.enter(limit))) throw streamReadOver(what, limit);
    let { from } = request;
    try {
      for (;;) {
        let open: OpenRead | undefined;
        let failure: RaftoralError;
        try {
          open = await this.#open({ ...request, from }, what, deadline, signal);
          const end = this.#endAt(open, deadline, signal);
          try {
            for (;;) {
              const next = await open.messages.next();
              if (next.done === true) return;
              const page = next.value.chunks.map((chunk) => chunkFromWire(chunk, request.stream));
              const last = page.at(-1);
              if (last === undefined) continue;
              from = last.offset + 1;
              yield page;
            }
          } finally {
            end();
            open.close();
          }
        } catch (error) {
          if (isOver()) throw streamReadOver(what, limit);
          failure = fromConnectError(error, open?.address ?? "the node");
          if (!failure.retryable || this.#isClosed) throw failure;
        }
        await pause(this.#clock, Math.min(FAILURE_PAUSE_MS, deadline.leftMs), signal);
        if (isOver()) throw streamReadOver(what, limit);
      }
    } finally {
      this.#gate.leave();
    }
  }

  /** Opens a call on a node that takes it. */
  async #open(
    request: StreamRequest,
    what: string,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<OpenRead> {
    const opened = new Set<OpenRead>();
    const timeoutMs = Math.max(1, deadline.leftMs);
    const limit = { what, idempotent: true, timeoutMs, attemptMs: OPEN_MS, signal };
    try {
      const chosen = await this.#failover.call(limit, async (node, options) => {
        const open = await this.#openOn(node, request, options);
        opened.add(open);
        return open;
      });
      opened.delete(chosen);
      return chosen;
    } finally {
      // Another node may have taken the call as well.
      for (const other of opened) other.close();
    }
  }

  async #openOn(node: Connection, request: StreamRequest, { timeoutMs, signal }: SendOptions): Promise<OpenRead> {
    const call = new AbortController();
    const close = (): void => call.abort();
    const cancel = this.#clock.after(timeoutMs, close);
    signal.addEventListener("abort", close, { once: true });
    try {
      const { runId, stream, from, follow } = request;
      const message = { runId, stream, follow, ...(from === undefined ? {} : { from: BigInt(from) }) };
      const messages = node.workflows.readStream(message, { signal: call.signal })[Symbol.asyncIterator]();
      // The first message is empty, and says that the node has taken the call.
      const first = await messages.next();
      if (first.done !== true) return { address: node.address, messages, close };
      throw new RaftError("NODE_STOPPED", `${node.address} ended the stream at once. Ask another node.`, {
        retryable: true,
      });
    } finally {
      cancel();
      signal.removeEventListener("abort", close);
    }
  }

  /** Ends the call at the limit, or at the caller's signal. */
  #endAt({ close }: OpenRead, { leftMs }: Deadline, signal: AbortSignal | undefined): Cancel {
    const cancel = this.#clock.after(leftMs, close);
    signal?.addEventListener("abort", close, { once: true });
    if (signal?.aborted === true) close();
    return () => {
      cancel();
      signal?.removeEventListener("abort", close);
    };
  }
}
