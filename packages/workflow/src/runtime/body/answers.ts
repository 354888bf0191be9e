/**
 * The order in which a body gets its answers.
 *
 * Role: what a body does next depends on which of its open calls was answered first (`Promise.race`, branches that share a
 * variable or `random()`). So answers are given as the log has them, and a replay takes the same course.
 *
 * Q1. Answers are given in the order of their places in the log, recorded ones and fresh ones alike: one that is known to be
 *     committed, but whose result this node is still asking for, is waited for.
 * Q2. One answer per turn of the event loop: the body comes to rest before the next, having asked for all it will.
 * Q3. What the log does not have (a rejection by cancellation) comes after every answer that it has, those included that the body asks for when
 *     it gets an earlier one.
 * Q4. No answer is given while the queue is suspended: calls wait for their turn (body-calls.ts BC1), or a snapshot takes the place of events.
 */
import type { Clock } from "@raftoral/raft-core";
import type { RecordPosition } from "../../model/record.ts";
import { MinHeap } from "../collections/min-heap.ts";

/** The place of what the log does not have: after everything it has. */
const AFTER_ALL: RecordPosition = Number.POSITIVE_INFINITY;

/** The queue of answers of one body (Q1 to Q4). */
export class Answers {
  readonly #clock: Clock;
  /** Ways to give what waits, by place in the log. */
  readonly #waiting = new MinHeap<() => void>();
  /** Paths that are being recorded: one for itself, for most bodies have one at a time, and the others. */
  #first: string | undefined;
  readonly #others = new Set<string>();
  /** Of these, what is committed and has not been answered, with its place. */
  readonly #expected = new Map<string, RecordPosition>();
  /** Their paths by place; and paths that are not expected any more. */
  readonly #expectedByPosition = new MinHeap<string>();
  /** The body may be running still, and ask for more. */
  #isRunning = false;
  /** What looks at the body whenever it rests. */
  readonly #atRest = new Set<() => boolean>();
  #whenIdle: (() => void)[] = [];
  /** Reasons to give no answer (Q4). */
  #suspensions = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A path is being recorded from now on, until {@link closed}. */
  opened(key: string): void {
    if (this.#first === undefined) this.#first = key;
    else this.#others.add(key);
  }

  /** The log has this path. */
  committed(key: string, position: RecordPosition): void {
    if ((key !== this.#first && !this.#others.has(key)) || this.#expected.get(key) === position) return;
    this.#expected.set(key, position);
    this.#expectedByPosition.push(position, key);
  }

  /** The call at this path got its answer, or will get none. */
  closed(key: string): void {
    if (key === this.#first) this.#first = undefined;
    else this.#others.delete(key);
    if (this.#expected.delete(key)) this.#goOn();
  }

  /** For an answer from the record: resolves when it is its turn. The body may be asking for others right now. */
  recorded(position: RecordPosition): Promise<void> {
    return this.#queued(position);
  }

  /** For what the log does not have: resolves when everything that is recorded and asked for has been answered (Q3). */
  last(): Promise<void> {
    return this.#queued(AFTER_ALL);
  }

  /**
   * For an answer that has just come: undefined when it may be given now, else resolves when it is its turn. `isOnly` says that
   * no other call is open, so that nothing before it in the log can be on its way through this turn.
   */
  fresh(key: string, position: RecordPosition, isOnly: boolean): Promise<void> | undefined {
    this.#expected.delete(key);
    const isQuiet = !this.#isRunning && this.#waiting.size === 0 && this.#expected.size === 0;
    const isNext = isOnly && isQuiet && this.#suspensions === 0;
    return isNext ? undefined : this.#queued(position);
  }

  /** Whether an answer waits to be given, or the body may be running still. */
  get isGiving(): boolean {
    return this.#isRunning || this.#waiting.size > 0;
  }

  /** Resolves once no answer waits to be given and the body has come to rest; undefined when that is now. */
  idle(): Promise<void> | undefined {
    return this.isGiving ? new Promise((resolve) => this.#whenIdle.push(resolve)) : undefined;
  }

  /**
   * Calls `fn` whenever the body has come to rest: before each answer, and soon after this call. `fn` depends on the body's state alone, so that a
   * replay finds the same at the same places, and gives whether it has woken the body. Returns the way to stop.
   */
  onRest(fn: () => boolean): () => void {
    this.#atRest.add(fn);
    this.#goOn(true);
    return () => this.#atRest.delete(fn);
  }

  /** No answer is given until the function that comes back is called (Q4). */
  suspend(): () => void {
    this.#suspensions += 1;
    return () => {
      this.#suspensions -= 1;
      this.#goOn();
    };
  }

  #goOn(isWanted = this.#waiting.size > 0): void {
    if (this.#isRunning || !isWanted) return;
    this.#isRunning = true;
    this.#afterRest();
  }

  #queued(position: RecordPosition): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(position, resolve);
      this.#goOn();
    });
  }

  readonly #next = (): void => {
    if (this.#suspensions === 0) {
      for (const fn of this.#atRest) {
        if (!fn()) continue;
        // The body goes on for that reason, and comes to rest again before the next answer.
        this.#afterRest();
        return;
      }
    }
    const next = this.#waiting.first;
    if (next === undefined || this.#suspensions > 0 || this.#isPreceded(next.rank)) {
      this.#isRunning = false;
      if (next === undefined) for (const resolve of this.#whenIdle.splice(0)) resolve();
      return;
    }
    this.#waiting.pop();
    next.value();
    this.#afterRest();
  };

  #isPreceded(position: RecordPosition): boolean {
    const expected = this.#expectedByPosition;
    for (let first = expected.first; first !== undefined; first = expected.first) {
      if (this.#expected.get(first.value) === first.rank) return first.rank < position;
      expected.pop();
    }
    return false;
  }

  /** By a microtask: the clock may call several callbacks in a row, without the body getting on in between. */
  #afterRest(): void {
    queueMicrotask(() => this.#clock.soon(this.#next));
  }
}
