/**
 * Calls that stay open and bring messages, and another one where the last one left off when it breaks.
 *
 * FC1. A reader gets every message once, in order, whichever nodes they come from: a new call asks for what follows the last message that came.
 * FC2. A read ends with what is read, at its limit, at its signal, or with a failure that asking again would not change.
 * FC3. A bounded number of calls is open at once in one client; more wait for their turn.
 */
import { type Cancel, type Clock, RaftError, type RaftoralError } from "@raftoral/raft-core";
import type { CallLimit } from "../api/call-options.ts";
import { Deadline } from "../time/deadline.ts";
import { pause } from "../time/pause.ts";
import { fromConnectError } from "../wire/connect-errors.ts";
import type { Connection } from "./connection.ts";
import type { Failover, SendOptions } from "./failover.ts";
import { Gate } from "./gate.ts";

/** Calls that are open at once. */
const MAX_OPEN_CALLS = 150;
/** How long a node may take to take a call, in ms. */
const OPEN_MS = 5_000;
/** Pause after a call that failed: the nodes may be starting, or electing. */
const FAILURE_PAUSE_MS = 200;

/** What is read: `Message` comes from a node, `Page` is what the reader gets. */
export interface FollowedCall<Message, Page> {
  /** Names the read in errors: "Reading events". */
  readonly what: string;
  /** Calls a node for what follows the last message taken. The first message says that the node has taken the call. */
  readonly open: (node: Connection, signal: AbortSignal) => AsyncIterable<Message>;
  /** What the reader gets of a message, of the first one too; undefined for nothing. Notes where a further call goes on. */
  readonly take: (message: Message) => Page | undefined;
  /** Why the read ends before what is read does. */
  readonly over: (limit: CallLimit) => Error;
}

interface OpenCall<Message> {
  readonly address: string;
  readonly first: Message;
  readonly messages: AsyncIterator<Message>;
  readonly close: () => void;
}

/** The followed calls of one client. */
export class FollowedCalls {
  readonly #failover: Failover;
  readonly #clock: Clock;
  readonly #gate: Gate;
  #isClosed = false;

  constructor(failover: Failover, clock: Clock) {
    this.#failover = failover;
    this.#clock = clock;
    this.#gate = new Gate(MAX_OPEN_CALLS, clock);
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

  /** The pages of a read as they come. */
  async *read<Message, Page>(
    call: FollowedCall<Message, Page>,
    limit: CallLimit,
  ): AsyncGenerator<Page, void, undefined> {
    const deadline = new Deadline(limit, this.#clock);
    const { signal } = limit;
    const isOver = (): boolean => signal?.aborted === true || deadline.leftMs <= 0;
    if (!(await this.#gate.enter(limit))) throw call.over(limit);
    try {
      for (;;) {
        let open: OpenCall<Message> | undefined;
        let failure: RaftoralError;
        try {
          open = await this.#open(call, deadline, signal);
          const end = this.#endAt(open, deadline, signal);
          try {
            let message = open.first;
            for (;;) {
              const page = call.take(message);
              if (page !== undefined) yield page;
              const next = await open.messages.next();
              if (next.done === true) return;
              message = next.value;
            }
          } finally {
            end();
            open.close();
          }
        } catch (error) {
          if (isOver()) throw call.over(limit);
          failure = fromConnectError(error, open?.address ?? "the node");
          if (!failure.retryable || this.#isClosed) throw failure;
        }
        await pause(this.#clock, Math.min(FAILURE_PAUSE_MS, deadline.leftMs), signal);
        if (isOver()) throw call.over(limit);
      }
    } finally {
      this.#gate.leave();
    }
  }

  /** Opens a call on a node that takes it. */
  async #open<Message, Page>(
    call: FollowedCall<Message, Page>,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<OpenCall<Message>> {
    const opened = new Set<OpenCall<Message>>();
    const timeoutMs = Math.max(1, deadline.leftMs);
    const limit = { what: call.what, idempotent: true, timeoutMs, attemptMs: OPEN_MS, signal };
    try {
      const chosen = await this.#failover.call(limit, async (node, options) => {
        const open = await this.#openOn(node, call, options);
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

  async #openOn<Message, Page>(
    node: Connection,
    { what, open }: FollowedCall<Message, Page>,
    { timeoutMs, signal }: SendOptions,
  ): Promise<OpenCall<Message>> {
    const aborting = new AbortController();
    const close = (): void => aborting.abort();
    const cancel = this.#clock.after(timeoutMs, close);
    signal.addEventListener("abort", close, { once: true });
    try {
      const messages = open(node, aborting.signal)[Symbol.asyncIterator]();
      const first = await messages.next();
      if (first.done !== true) return { address: node.address, first: first.value, messages, close };
      throw new RaftError("NODE_STOPPED", `${what}: ${node.address} ended the call at once. Ask another node.`, {
        retryable: true,
      });
    } finally {
      cancel();
      signal.removeEventListener("abort", close);
    }
  }

  /** Ends the call at the limit, or at the caller's signal. */
  #endAt({ close }: { readonly close: () => void }, { leftMs }: Deadline, signal: AbortSignal | undefined): Cancel {
    const cancel = this.#clock.after(leftMs, close);
    signal?.addEventListener("abort", close, { once: true });
    if (signal?.aborted === true) close();
    return () => {
      cancel();
      signal?.removeEventListener("abort", close);
    };
  }
}
