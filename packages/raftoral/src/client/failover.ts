/**
 * Which node a client talks to, and what it does when that node does not answer.
 *
 * Invariants:
 * F1. A call ends within its time: with an answer, with a failure, or with DEADLINE_EXCEEDED.
 * F2. Another node is asked only if the failure says that the same call may succeed there, and, for a call that must not
 *     happen twice, only if it was never sent.
 * F3. The node that answered last is asked first; one that was silent or failed is asked last.
 * F4. A call that is about a node goes to that node alone.
 * F5. A silent node does not use up the time of a call: the others get their turn (round.ts).
 */
import { type Clock, RaftError, RaftoralError } from "@raftoral/raft-core";
import { parseAddress, type Security } from "@raftoral/transport-grpc";
import { type CallLimit, callAborted } from "../api/call-options.ts";
import { NodeError } from "../api/errors.ts";
import { Deadline } from "../time/deadline.ts";
import { pause } from "../time/pause.ts";
import { fromConnectError } from "../wire/connect-errors.ts";
import { Connection } from "./connection.ts";
import { type Attempt, askInTurns } from "./round.ts";

/** One call. Its limit is for all nodes together; `timeoutMs` may be infinite if `attemptMs` is given. */
export interface FailoverCall extends CallLimit {
  /** The most that one node may take, in milliseconds (the whole time). The call goes on after a node that did not answer. */
  readonly attemptMs?: number;
  /** Added to `timeoutMs` for the way of an answer that comes at its very end, in milliseconds (0). */
  readonly graceMs?: number;
  /** Whether doing it twice is the same as doing it once. */
  readonly idempotent: boolean;
  /** The only node to ask (F4). */
  readonly only?: string | undefined;
  /** What was tried, for the error: "starting process_order". */
  readonly what: string;
}

/** What asking one node may take: options of a call of Connect. The signal fires when another node has answered, too. */
export interface SendOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks one node. */
export type Send<T> = (node: Connection, options: SendOptions) => Promise<T>;

interface AttemptOptions extends SendOptions {
  readonly address: string;
  readonly call: FailoverCall;
  /** When the whole call is over. */
  readonly deadline: Deadline;
}

/** Failures that another node may not have. */
const ELSEWHERE = new Set([
  "NODE_UNREACHABLE",
  "TRANSPORT_TLS_FAILED",
  "NODE_STARTING",
  "NODE_STOPPED",
  "NODE_FAILED",
  "NO_LEADER",
]);
/** With these the request cannot have arrived. */
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"]);
/** A gRPC deadline has eight digits at most: a good day. */
const LONGEST_ATTEMPT_MS = 99_999_999;
/** Pause after all nodes were asked in vain: an election takes longer than a connection that is refused. */
const ROUND_PAUSE_MS = 100;

/** The failover of one client (F1 to F5). */
export class Failover {
  readonly #connections = new Map<string, Connection>();
  readonly #security: Security;
  readonly #clock: Clock;
  /** The addresses given at first. */
  readonly #seeds: readonly string[];
  #addresses: string[];
  /** Addresses with a connection that were of no member the last time. */
  #gone: ReadonlySet<string> = new Set();
  #failedOver: () => void = () => {};
  #closed = false;

  constructor(addresses: readonly string[], security: Security, clock: Clock) {
    this.#seeds = [...new Set(addresses)];
    this.#addresses = [...this.#seeds];
    this.#security = security;
    this.#clock = clock;
  }

  /** Nodes that would be asked, in that order. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /**
   * The members of the cluster as they are now: new ones are asked after those known, those that are none any more not at all. The
   * addresses given at first stay: they may be names that lead to the nodes that are there. What this client may not dial is left out.
   */
  learn(members: readonly string[]): void {
    const present = new Set([...this.#seeds, ...members.filter((address) => this.#mayDial(address))]);
    this.#addresses = [...new Set([...this.#addresses.filter((address) => present.has(address)), ...present])];
    // Calls to a node that has just gone may be answered still: its connection has time until the next time.
    for (const address of this.#gone) {
      if (present.has(address)) continue;
      this.#connections.get(address)?.close();
      this.#connections.delete(address);
    }
    this.#gone = new Set([...this.#connections.keys()].filter((address) => !present.has(address)));
  }

  /** Calls `listener` when a node did not answer and the next is asked. */
  onFailover(listener: () => void): void {
    this.#failedOver = listener;
  }

  /**
   * Calls `send` with one node after the other until one answers. `send` gets the time that it may take, and a signal that fires
   * when another node was faster. Rejects with CALL_ABORTED when the call's own signal aborts.
   */
  async call<T>(options: FailoverCall, send: Send<T>): Promise<T> {
    const deadline = new Deadline(options, this.#clock);
    for (;;) {
      const round = await askInTurns<T>({
        clock: this.#clock,
        stop: options.signal,
        addresses: options.only === undefined ? this.#addresses : [options.only],
        leftMs: deadline.leftMs,
        graceMs: options.graceMs ?? 0,
        attemptMs: Math.min(options.attemptMs ?? LONGEST_ATTEMPT_MS, LONGEST_ATTEMPT_MS),
        sideBySide: options.idempotent,
        ask: (address, timeoutMs, signal) =>
          this.#attempt({ call: options, address, timeoutMs, signal, deadline }, send),
        passedOver: (address) => {
          if (options.only === undefined) this.#demote(address);
        },
      });
      if (round.kind === "answered") {
        if (options.only === undefined) this.#promote(round.address);
        return round.value;
      }
      if (round.kind === "final") throw round.failure;
      if (round.kind === "aborted") throw callAborted(options.signal, options.what);
      const { failures } = round;
      if (deadline.leftMs <= ROUND_PAUSE_MS || failures.length === 0) {
        throw this.#timedOut(options, failures.at(-1));
      }
      const unreachable = failures.findLast(isUnreachable);
      // Certificates do not mend themselves.
      const refusal = failures.findLast(isTurnedAway);
      if (failures.every((failure) => isUnreachable(failure) || isTurnedAway(failure))) {
        // Some are down, and those that run turn this caller away: that is what there is to do something about.
        throw refusal ?? this.#unreachable(unreachable, options);
      }
      await pause(this.#clock, ROUND_PAUSE_MS, options.signal);
    }
  }

  /** Ends every call in progress. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  async #attempt<T>(attempt: AttemptOptions, send: Send<T>): Promise<Attempt<T>> {
    const { call, address, timeoutMs, signal, deadline } = attempt;
    if (this.#closed) return { kind: "final", failure: closedClient() };
    try {
      return { kind: "answered", value: await send(this.#connection(address), { timeoutMs, signal }) };
    } catch (error) {
      const failure = fromConnectError(error, address);
      // A node that did not answer in its part of the time: another may.
      const isSilent = failure.code === "DEADLINE_EXCEEDED" && deadline.leftMs > 0;
      const isWorthIt = isSilent ? call.idempotent : isWorthTryingElsewhere(failure, call);
      return { kind: isWorthIt ? "failed" : "final", failure };
    }
  }

  #connection(address: string): Connection {
    let connection = this.#connections.get(address);
    if (connection === undefined) {
      connection = new Connection(address, this.#security);
      this.#connections.set(address, connection);
    }
    return connection;
  }

  #mayDial(address: string): boolean {
    try {
      this.#security.check(parseAddress(address), "connect to");
      return true;
    } catch (error) {
      if (error instanceof RaftoralError) return false;
      throw error;
    }
  }

  #demote(address: string): void {
    // Between two attempts it may have been found to be no member any more.
    if (!this.#addresses.includes(address)) return;
    this.#addresses = [...this.#addresses.filter((other) => other !== address), address];
    this.#failedOver();
  }

  #promote(address: string): void {
    if (this.#addresses[0] === address || !this.#addresses.includes(address)) return;
    this.#addresses = [address, ...this.#addresses.filter((other) => other !== address)];
  }

  #timedOut(options: FailoverCall, cause: RaftoralError | undefined): RaftoralError {
    const last = cause === undefined ? "" : ` The last answer was: ${cause.message}`;
    return new RaftError("DEADLINE_EXCEEDED", `${options.what} took longer than ${options.timeoutMs} ms.${last}`, {
      retryable: true,
      cause,
    });
  }

  #unreachable(failure: RaftoralError | undefined, options: FailoverCall): RaftoralError {
    if (failure !== undefined && (this.#addresses.length === 1 || options.only !== undefined)) return failure;
    return new NodeError(
      "NODE_UNREACHABLE",
      `None of the nodes answers: ${this.#addresses.join(", ")}. Check the addresses, and that the nodes are running.`,
      { retryable: true, cause: failure, details: { addresses: this.#addresses } },
    );
  }
}

function closedClient(): NodeError {
  return new NodeError("NODE_UNREACHABLE", "The client is closed. Connect a new one.");
}

function isUnreachable(failure: RaftoralError): boolean {
  return failure instanceof NodeError && failure.code === "NODE_UNREACHABLE";
}

function isTurnedAway(failure: RaftoralError): boolean {
  return failure.code === "TRANSPORT_TLS_FAILED";
}

function isWorthTryingElsewhere(failure: RaftoralError, options: FailoverCall): boolean {
  if (!ELSEWHERE.has(failure.code)) return false;
  // A node that says it stopped, or that it knows no leader, did nothing; a connection that broke may have delivered.
  return options.idempotent || failure.code !== "NODE_UNREACHABLE" || wasNeverSent(failure);
}

function wasNeverSent(failure: RaftoralError): boolean {
  for (let cause = failure.cause; cause instanceof Error; cause = cause.cause) {
    if ("code" in cause && typeof cause.code === "string" && NEVER_SENT.has(cause.code)) return true;
  }
  return false;
}
