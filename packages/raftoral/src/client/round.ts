/**
 * Asks each of some nodes once, and takes the first answer.
 *
 * The nodes take turns: when a node has failed, or its share of the time is over, the next one is asked as well. A node that is slow
 * may still answer first; a silent one costs only its share.
 *
 * Invariants:
 * R1. A node is asked only after those before it have failed or had their turn; all are asked before the time is over.
 * R2. Nodes are asked side by side only if asking twice is the same as asking once (`sideBySide`).
 * R3. The first answer, the first failure that ends the call, or the caller's own abort decides; what is still under way then is aborted.
 */
import type { Cancel, Clock, RaftoralError } from "@raftoral/raft-core";

/** What became of asking one node. */
export type Attempt<T> =
  | { readonly kind: "answered"; readonly value: T }
  /** Another node may do better. */
  | { readonly kind: "failed"; readonly failure: RaftoralError }
  /** No other node would do better. */
  | { readonly kind: "final"; readonly failure: RaftoralError };

/** A round, and how its nodes are asked. */
export interface RoundOptions<T> {
  readonly clock: Clock;
  /** The caller's: ends the round when it aborts. */
  readonly stop: AbortSignal | undefined;
  readonly addresses: readonly string[];
  /** What is left of the call's time, in milliseconds; may be infinite. */
  readonly leftMs: number;
  /** Added to the time of an attempt for the way of its answer, in milliseconds; no turn is longer for it. */
  readonly graceMs: number;
  /** The most that one node may take, in milliseconds. */
  readonly attemptMs: number;
  /** R2. Otherwise a node is asked only after the one before it has failed. */
  readonly sideBySide: boolean;
  /** Asks one node. Never rejects. */
  readonly ask: (address: string, timeoutMs: number, signal: AbortSignal) => Promise<Attempt<T>>;
  /** A node has failed, or its turn was over without an answer. */
  readonly passedOver: (address: string) => void;
}

/** How a round ended: with an answer and the node that gave it, with a failure for good, with all failures in their order, or by its caller. */
export type RoundOutcome<T> =
  | { readonly kind: "answered"; readonly value: T; readonly address: string }
  | { readonly kind: "final"; readonly failure: RaftoralError }
  | { readonly kind: "failed"; readonly failures: readonly RaftoralError[] }
  | { readonly kind: "aborted" };

/** Resolves with the round's outcome, within `leftMs` and `graceMs` if `ask` keeps to its time. Never rejects. */
export function askInTurns<T>(options: RoundOptions<T>): Promise<RoundOutcome<T>> {
  const { clock, stop, addresses, leftMs, graceMs, attemptMs, sideBySide, ask, passedOver } = options;
  const endMs = clock.monotonicMs() + leftMs;
  const failures: RaftoralError[] = [];
  const losers = new AbortController();
  let asked = 0;
  let underWay = 0;
  let cancelTurn: Cancel = () => {};
  const { promise, resolve } = Promise.withResolvers<RoundOutcome<T>>();

  const onStop = (): void => decide({ kind: "aborted" });
  const decide = (outcome: RoundOutcome<T>): void => {
    cancelTurn();
    stop?.removeEventListener("abort", onStop);
    resolve(outcome);
    losers.abort();
  };

  const next = (): void => {
    cancelTurn();
    const address = addresses[asked];
    const left = endMs - clock.monotonicMs();
    if (address === undefined || left <= 0) {
      if (underWay === 0) decide({ kind: "failed", failures });
      return;
    }
    const others = addresses.length - asked - 1;
    asked += 1;
    underWay += 1;
    const timeoutMs = Math.min(Math.ceil(left + graceMs), attemptMs);
    let isItsTurn = true;
    const endTurn = (): void => {
      if (!isItsTurn) return;
      isItsTurn = false;
      passedOver(address);
      next();
    };
    if (sideBySide && others > 0) cancelTurn = clock.after(Math.min(timeoutMs, left / (others + 1)), endTurn);
    void ask(address, timeoutMs, losers.signal).then((attempt) => {
      underWay -= 1;
      if (losers.signal.aborted) return;
      if (attempt.kind === "answered") return decide({ ...attempt, address });
      if (attempt.kind === "final") return decide(attempt);
      failures.push(attempt.failure);
      if (isItsTurn) endTurn();
      else if (underWay === 0 && asked === addresses.length) decide({ kind: "failed", failures });
    });
  };
  if (stop?.aborted === true) return Promise.resolve({ kind: "aborted" });
  stop?.addEventListener("abort", onStop);
  next();
  return promise;
}
