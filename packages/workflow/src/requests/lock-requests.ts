/**
 * Requests to locks from service code, over the engine of one node.
 *
 * LQ1. A request is an idempotent command: one whose outcome is unknown is proposed again while its limit lasts.
 * LQ2. A wait hears of its grant from the events of the replicated state, and costs nothing until then.
 */
import { type Clock, platformClock, RaftError } from "@raftoral/raft-core";
import type { LockAcquire } from "../commands/locks/lock-acquire.ts";
import type { CommandResult, WorkflowCommand } from "../commands/registry.ts";
import { WorkflowError } from "../errors.ts";
import type { LockLimits } from "../model/lock.ts";
import { RetryingProposer } from "../runtime/engine/retrying-proposer.ts";
import type { WorkflowEngine } from "../runtime/engine/workflow-engine.ts";
import type { RequestLimit } from "./request-limit.ts";

/** An ask of service code. */
export type LockAsked = Omit<LockAcquire, "kind" | "atMs">;

/** What an operator does to a lock. */
export type LockAction =
  | { readonly kind: "release"; readonly token: number }
  | { readonly kind: "define"; readonly limits: LockLimits }
  | { readonly kind: "delete" };

/** Who leads. `token` 0: no one. */
export interface LockLeader {
  readonly token: number;
  readonly value: string;
}

/** Requests to locks over one engine. A limit bounds each. All reject with the engine's errors, too. */
export class LockRequests {
  readonly #engine: WorkflowEngine;
  readonly #clock: Clock;
  readonly #proposer: RetryingProposer;
  readonly #unsubscribe: () => void;
  /** Those that wait for something of a lock, by its name. */
  readonly #waiting = new Map<string, Set<() => void>>();
  #isClosed = false;

  constructor(engine: WorkflowEngine, clock: Clock = platformClock) {
    this.#engine = engine;
    this.#clock = clock;
    this.#proposer = new RetryingProposer(engine, clock);
    this.#unsubscribe = engine.subscribe({
      onEvents: (events) => {
        if (this.#waiting.size === 0) return;
        for (const event of events) {
          if (event.type === "lock-changed") this.#wake(event.name);
          // A snapshot may hold anything.
          else if (event.type === "state-restored") for (const name of [...this.#waiting.keys()]) this.#wake(name);
        }
      },
      onNotice: () => {},
    });
  }

  /** How many calls wait. */
  get waits(): number {
    let waits = 0;
    for (const waiting of this.#waiting.values()) waits += waiting.size;
    return waits;
  }

  /** The token; 0 for an ask that was not granted at once and does not wait; undefined when it waits still after `waitMs`. */
  async acquire(asked: LockAsked, waitMs: number, limit: RequestLimit): Promise<number | undefined> {
    const { name, requestId } = asked;
    const result = await this.#propose({ kind: "LockAcquire", ...asked, atMs: this.#clock.wallMs() }, limit);
    if (result.kind !== "LockAnswered") throw new WorkflowError("COMMAND_INVALID", `Lock ${name} gave ${result.kind}.`);
    if (result.state !== "waiting") return result.token;
    return await this.#until(name, waitMs, limit, async () => {
      const token = await this.#engine.lockToken(name, requestId);
      return token === 0 ? undefined : token;
    });
  }

  /** Rejects with LOCK_LOST when the request does not hold the lock with this token. */
  async renew(name: string, requestId: string, token: number, limit: RequestLimit): Promise<void> {
    await this.#propose({ kind: "LockRenew", name, requestId, token, atMs: this.#clock.wallMs() }, limit);
  }

  /** Ends an ask, if it is there. */
  async release(name: string, requestId: string, limit: RequestLimit): Promise<void> {
    await this.#propose({ kind: "LockRelease", name, requestId, token: 0, atMs: this.#clock.wallMs() }, limit);
  }

  /** Carries out what an operator asks for. */
  async change(
    name: string,
    action: LockAction,
    { by, reason }: { readonly by: string; readonly reason: string },
    limit: RequestLimit,
  ): Promise<void> {
    const asked = {
      name,
      atMs: this.#clock.wallMs(),
      ...(by === "" ? {} : { by }),
      ...(reason === "" ? {} : { reason }),
    };
    if (action.kind === "release")
      await this.#propose({ kind: "LockRelease", requestId: "", token: action.token, ...asked }, limit);
    else if (action.kind === "define")
      await this.#propose({ kind: "LockDefine", limits: action.limits, ...asked }, limit);
    else await this.#propose({ kind: "LockDelete", ...asked }, limit);
  }

  /** Who leads, once that is another one than the holder of `not`; undefined when nothing has changed after `waitMs`. Reads what this node has applied. */
  async leader(name: string, not: number, waitMs: number, limit: RequestLimit): Promise<LockLeader | undefined> {
    return await this.#until(name, waitMs, limit, async () => {
      const [lock] = await this.#engine.locks({ name, limit: 1, asks: 1 });
      const { token = 0, value = "" } = lock?.holders[0] ?? {};
      return token === not ? undefined : { token, value };
    });
  }

  /** Ends every wait with NODE_STOPPED. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    for (const name of [...this.#waiting.keys()]) this.#wake(name);
  }

  async #propose(
    command: WorkflowCommand,
    { timeoutMs, signal }: RequestLimit,
  ): Promise<Extract<CommandResult, { readonly ok: true }>> {
    const endMs = this.#clock.monotonicMs() + timeoutMs;
    const goOn = (): boolean => this.#clock.monotonicMs() < endMs && signal?.aborted !== true;
    const leftMs = (): number => Math.max(1, Math.floor(endMs - this.#clock.monotonicMs()));
    const timed = Number.isFinite(timeoutMs) ? { timeoutMs: leftMs } : {};
    const result = await this.#proposer.propose(command, { goOn, ...timed, signal });
    if (result.ok) return result;
    throw new WorkflowError(result.code, result.message, { details: result.details ?? {} });
  }

  /** What `look` gives, now or whenever something has happened to the lock; undefined once the time is over. */
  async #until<T>(
    name: string,
    waitMs: number,
    { signal }: RequestLimit,
    look: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const waiting = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, waiting);
    let wake = Promise.withResolvers<void>();
    let isOver = waitMs <= 0 || signal?.aborted === true;
    const onEvent = (): void => wake.resolve();
    const end = (): void => {
      isOver = true;
      wake.resolve();
    };
    waiting.add(onEvent);
    const cancel = isOver ? () => {} : this.#clock.after(waitMs, end);
    signal?.addEventListener("abort", end);
    try {
      for (;;) {
        if (this.#isClosed) throw stopped();
        const found = await look();
        if (found !== undefined) return found;
        if (isOver) return undefined;
        await wake.promise;
        wake = Promise.withResolvers();
      }
    } finally {
      cancel();
      signal?.removeEventListener("abort", end);
      waiting.delete(onEvent);
      if (waiting.size === 0 && this.#waiting.get(name) === waiting) this.#waiting.delete(name);
    }
  }

  #wake(name: string): void {
    for (const wake of this.#waiting.get(name) ?? []) wake();
  }
}

function stopped(): RaftError {
  return new RaftError("NODE_STOPPED", "The node was stopped. Ask another node.", { retryable: true });
}
