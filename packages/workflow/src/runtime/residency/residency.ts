/**
 * Which bodies of a node are in memory: takes those out that have rested longest while there are more than may be.
 *
 * Role: counts and chooses. Whether a body may leave is the body's to say (run-execution.ts B8); what wakes it is known to the node's executions.
 *
 * RE1. A body leaves only while it rests, and only after two looks at it with a full turn of the event loop between them in which nothing came for it: what came
 *      before the first look has reached the body by the second.
 * RE2. In one turn of the event loop LOOKS_PER_TURN bodies are looked at, and LOOKS_PER_START more for each body that has begun since the last looks, up to MAX_LOOKS: a burst
 *      of starts does not outrun the looks.
 * RE3. A body that may not leave yet is looked at again when that may have changed, and not before.
 */
import type { Clock } from "@raftoral/raft-core";
import { outsideBodies } from "../body/body-place.ts";

/** Bodies that are looked at in one turn of the event loop. */
export const LOOKS_PER_TURN = 128;
/** Looks for each body that has begun: a body leaves at its second look, and the others are those that may not leave yet. */
export const LOOKS_PER_START = 4;
/** Bodies that are looked at in one turn of the event loop at most. */
export const MAX_LOOKS = 2_048;

/** A body in memory. */
export interface Resident {
  /** Undefined when the body may leave now; else resolves when another look is worth while, or never while the body stays at rest. */
  staysUntil(): Promise<void> | undefined;
  /** The body leaves. */
  evict(): void;
}

/** The bodies of one node (RE1 to RE3). */
export class Residency {
  readonly #clock: Clock;
  readonly #max: number;
  #count = 0;
  #evictions = 0;
  /** Bodies that have begun since the last pass. */
  #begun = 0;
  /** Bodies at rest that may be looked at, in the order in which they came to rest; and those that wait for their next look. */
  readonly #resting = new Set<Resident>();
  readonly #waiting = new Set<Resident>();
  /** Bodies that somebody wants out, and what waits for that. */
  readonly #wanted = new Map<Resident, PromiseWithResolvers<boolean>>();
  #isPassSoon = false;

  /** `max`: bodies in memory, those that run included. */
  constructor(clock: Clock, max: number) {
    this.#clock = clock;
    this.#max = max;
  }

  /** Bodies in memory. */
  get count(): number {
    return this.#count;
  }

  /** Bodies that were taken out of memory so far. */
  get evictions(): number {
    return this.#evictions;
  }

  /** A body begins. */
  began(): void {
    this.#count += 1;
    this.#begun += 1;
    this.#passSoon();
  }

  /** A body is over, without having been evicted. */
  ended(resident: Resident): void {
    this.#count -= 1;
    this.#leave(resident, false);
  }

  /** A body comes to rest, or goes on. */
  rests(resident: Resident, isAtRest: boolean): void {
    this.#resting.delete(resident);
    this.#waiting.delete(resident);
    if (!isAtRest) return;
    this.#resting.add(resident);
    this.#passSoon();
  }

  /** Takes a body out as soon as it may leave, whatever the number is. Resolves with whether it was; false once the body is over. */
  want(resident: Resident): Promise<boolean> {
    const wanted = this.#wanted.get(resident) ?? Promise.withResolvers<boolean>();
    this.#wanted.set(resident, wanted);
    this.#passSoon();
    return wanted.promise;
  }

  get #isOver(): boolean {
    return this.#count > this.#max && this.#resting.size > 0;
  }

  get #hasWanted(): boolean {
    for (const resident of this.#wanted.keys()) if (this.#resting.has(resident)) return true;
    return false;
  }

  #passSoon(): void {
    if (this.#isPassSoon || !(this.#isOver || this.#hasWanted)) return;
    this.#isPassSoon = true;
    // By a microtask: the clock may call several callbacks in a row, without bodies getting on in between.
    outsideBodies(() => queueMicrotask(() => this.#clock.soon(this.#pass)));
  }

  readonly #pass = (): void => {
    this.#isPassSoon = false;
    for (const resident of [...this.#wanted.keys()]) if (this.#resting.has(resident)) this.#look(resident);
    let looks = Math.min(LOOKS_PER_TURN + LOOKS_PER_START * this.#begun, MAX_LOOKS);
    this.#begun = 0;
    for (const resident of this.#resting) {
      if (!this.#isOver || looks === 0) break;
      looks -= 1;
      this.#look(resident);
    }
    this.#passSoon();
  };

  #look(resident: Resident): void {
    this.#resting.delete(resident);
    const until = resident.staysUntil();
    if (until === undefined) {
      this.#count -= 1;
      this.#evictions += 1;
      resident.evict();
      this.#leave(resident, true);
      return;
    }
    this.#waiting.add(resident);
    void until.then(() => {
      if (!this.#waiting.delete(resident)) return;
      this.#resting.add(resident);
      this.#passSoon();
    });
  }

  #leave(resident: Resident, isEvicted: boolean): void {
    this.#resting.delete(resident);
    this.#waiting.delete(resident);
    this.#wanted.get(resident)?.resolve(isEvicted);
    this.#wanted.delete(resident);
  }
}
