/**
 * Proposes until the outcome is known.
 *
 * All workflow commands may be applied twice without harm: starts are idempotent by id, records by path, signals by
 * their id, and everything of an owner is fenced. So an unknown outcome is met by proposing again.
 */
import type { Clock } from "@raftoral/raft-core";
import type { CommandResult, WorkflowCommand } from "../../commands/registry.ts";
import type { ProposeOptions, WorkflowEngine } from "./workflow-engine.ts";

/** What an error of the engine means for the one who proposed. */
export type ProposalFailure =
  /** The same proposal may get through later. */
  | "retry"
  /** This node takes no part any more. */
  | "stopped"
  /** The command itself is the trouble. */
  | "refused";

const STOPPED = new Set(["NODE_STOPPED", "NODE_FAILED", "NODE_REMOVED"]);
const RETRY = new Set(["DEADLINE_EXCEEDED", "NO_LEADER", "OVERLOADED", "PROPOSAL_OUTCOME_UNKNOWN"]);

/** Judges by the code alone: an error that crossed a thread border is no instance of its class any more. */
export function proposalFailure(error: unknown): ProposalFailure {
  const { code, retryable } = (error ?? {}) as { code?: unknown; retryable?: unknown };
  if (typeof code !== "string") return "refused";
  if (STOPPED.has(code)) return "stopped";
  return RETRY.has(code) || retryable === true ? "retry" : "refused";
}

/** How long something is tried again. */
export interface RetryBounds {
  /** Asked after each failure and before each attempt but the first: false gives up with the last error. */
  readonly goOn: () => boolean;
  /** Asked before each attempt how many milliseconds are left for it; the engine's own default unless given. */
  readonly timeoutMs?: () => number;
  /** Ends a pause at once. */
  readonly signal?: AbortSignal | undefined;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1000;

/** What proposes commands until their outcome is known. */
export type Proposer = Pick<RetryingProposer, "propose">;

/** Proposes commands over one engine, again while their outcome is unknown, with pauses from 20 ms to one second. */
export class RetryingProposer {
  readonly #engine: WorkflowEngine;
  readonly #clock: Clock;

  constructor(engine: WorkflowEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
  }

  /** Rejects with the engine's error when it is final, or when the bounds end the attempts. */
  propose(command: WorkflowCommand, bounds: RetryBounds): Promise<CommandResult> {
    return this.retried((options) => this.#engine.propose(command, options), bounds);
  }

  /** As {@link propose}, for any call to the engine that may be made twice without harm. */
  async retried<T>(attempt: (options?: ProposeOptions) => Promise<T>, bounds: RetryBounds): Promise<T> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      try {
        return await attempt(bounds.timeoutMs === undefined ? undefined : { timeoutMs: bounds.timeoutMs() });
      } catch (error) {
        if (proposalFailure(error) !== "retry" || !bounds.goOn()) throw error;
        if (bounds.timeoutMs !== undefined && bounds.timeoutMs() <= pauseMs) throw error;
        await this.#pause(pauseMs, bounds.signal);
        if (!bounds.goOn()) throw error;
      }
    }
  }

  #pause(pauseMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const cancel = this.#clock.after(pauseMs, end);
      signal?.addEventListener("abort", end);
    });
  }
}
