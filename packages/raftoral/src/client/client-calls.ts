/** Calls of a client that are answered at once: in turns, within their limit, by whichever node answers. */
import { type Clock, RaftError } from "@raftoral/raft-core";
import { type CallLimit, callAborted } from "../api/call-options.ts";
import { Deadline } from "../time/deadline.ts";
import type { Failover, Send } from "./failover.ts";
import { Gate } from "./gate.ts";

/** Calls under way at once; with the polls (`run-polls.ts`) fewer than the 1,000 that a node takes from one connection. */
const MAX_CALLS = 400;

/** How a call is to be made. */
export interface CallStyle {
  /** Whether doing it twice is the same as doing it once (true). */
  readonly idempotent?: boolean;
  /** The only node to ask. */
  readonly only?: string | undefined;
}

/** The calls of one client. A call that no node answers rejects with the failures of the nodes, or with DEADLINE_EXCEEDED at its limit. */
export class ClientCalls {
  readonly failover: Failover;
  readonly #clock: Clock;
  readonly #gate: Gate;

  constructor(failover: Failover, clock: Clock) {
    this.failover = failover;
    this.#clock = clock;
    this.#gate = new Gate(MAX_CALLS, clock);
  }

  /** Calls that wait for their turn. */
  get waiting(): number {
    return this.#gate.waiting;
  }

  /** Sends a call. `what` begins messages: "Starting process_order". */
  async call<T>(what: string, limit: CallLimit, send: Send<T>, style: CallStyle = {}): Promise<T> {
    const deadline = new Deadline(limit, this.#clock);
    const { signal } = limit;
    if (!(await this.#gate.enter(limit)))
      throw signal?.aborted === true ? callAborted(signal, what) : notSent(what, limit);
    try {
      const { idempotent = true, only } = style;
      const timeoutMs = Math.max(0, Math.ceil(deadline.leftMs));
      return await this.failover.call({ what, idempotent, only, timeoutMs, signal }, send);
    } finally {
      this.#gate.leave();
    }
  }

  /** Lets everybody in who waits, to meet the end of the client. */
  close(): void {
    this.#gate.open();
  }
}

function notSent(what: string, { timeoutMs }: CallLimit): RaftError {
  return new RaftError(
    "DEADLINE_EXCEEDED",
    `${what} was not sent within ${timeoutMs} ms: ${MAX_CALLS} calls of this client are under way. Start fewer at once, or allow more time.`,
    { retryable: true },
  );
}
