/**
 * The order in which a body gets its answers.
 *
 * Role: what a body does next depends on which of its open calls was answered first (`Promise.race`, branches that share a
 * variable or `random()`). So answers are given as the log has them, and a replay takes the same course.
 *
 * Q1. Answers are given in the order of their places in the log, recorded ones and fresh ones alike: one that is known to be
 *     committed, but whose result this node is still asking for, is waited for. One that was made before its commit takes its place
 *     when the log has it.
 * Q2. One answer per turn of the event loop: the body comes to rest before the next, having asked for all it will.
 * Q3. What the log does not have (a rejection by cancellation) comes after every answer that it has, those included that the body asks for when
 *     it gets an earlier one.
 * Q4. No answer is given while the queue is suspended: calls wait for their turn (body-calls.ts BC1), or a snapshot takes the place of events.
 */
import type { Clock } from "@raftoral/raft-core";
import type { RecordPosition } from "../../model/record.ts";
import { LazyMap } from "../collections/lazy-map.ts";
import { LazySet } from "../collections/lazy-set.ts";
import { MinHeap } from "../collections/min-heap.ts";

/** The place of what the log does not have: after everything it has. */
const AFTER_ALL: RecordPosition = Number.POSITIVE_INFINITY;

/** An answer that waits for its turn. */
interface Waiting {
  /** Undefined once it is given. */
  give: (() => void) | undefined;
  place: RecordPosition;
  /** Present for a path that is being recorded. */
  readonly key: string | undefined;
}

/** The queue of answers of one body (Q1 to Q4). */
export class Answers {
  readonly #clock: Clock;
  /** Ways to give what waits, by place in the log. */
  readonly #waiting = new MinHeap<Waiting>();
  /** Of these, those of paths that are being recorded. */
  readonly #fresh = new LazyMap<string, Waiting>();
  /** Paths that are being recorded: one for itself, for most bodies have one at a time, and the others. */
  #first: string | undefined;
  readonly #others = new LazySet<string>();
  /** Of these, what is committed and has not been answered, with its place. */
  readonly #expected = new LazyMap<string, RecordPosition>();
  /** Their paths by place; and paths that are not expected any more. */
  readonly #expectedByPosition = new MinHeap<string>();
  /** The body may be running still, and ask for more. */
  #isRunning = false;
  /** What looks at the body whenever it rests. */
  readonly #atRest = new LazySet<() => boolean>();
  #whenIdle: (() => void)[] = [];
  #whenEmpty: (() => void)[] = [];
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
    const waiting = this.#fresh.get(key);
    if (waiting !== undefined) {
      if (waiting.place !== position) this.#waiting.push(position, waiting);
      waiting.place = position;
      return;
    }
    this.#expected.set(key, position);
    this.#expectedByPosition.push(position, key);
  }

  /** The call at this path got its answer, or will get none. */
  closed(key: string): void {
    if (key === this.#first) this.#first = undefined;
    else this.#others.delete(key);
    if (this.#expected.delete(key)) this.#goOn();
    this.#told();
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
    return isNext ? undefined : this.#queued(position, key);
  }

  /** Whether an answer waits to be given, or the body may be running still. */
  get isGiving(): boolean {
    return this.#isRunning || this.#waiting.size > 0;
  }

  /** Resolves once no answer waits to be given and the body has come to rest; undefined when that is now. */
  idle(): Promise<void> | undefined {
    return this.isGiving ? new Promise((resolve) => this.#whenIdle.push(resolve)) : undefined;
  }

  /** Undefined while the body is at rest, no answer waits or is expected, and answers may be given; else resolves once that is so. */
  empty(): Promise<void> | undefined {
    return this.#isEmpty ? undefined : new Promise((resolve) => this.#whenEmpty.push(resolve));
  }

  get #isEmpty(): boolean {
    return !this.isGiving && this.#expected.size === 0 && this.#suspensions === 0;
  }

  #told(): void {
    if (this.#whenEmpty.length > 0 && this.#isEmpty) for (const resolve of this.#whenEmpty.splice(0)) resolve();
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
      this.#told();
    };
  }

  /** Asks what looks at the body again (see {@link onRest}), though no answer has come. */
  look(): void {
    if (this.#atRest.size > 0) this.#goOn(true);
  }

  #goOn(isWanted = this.#waiting.size > 0): void {
    if (this.#isRunning || !isWanted) return;
    this.#isRunning = true;
    this.#afterRest();
  }

  #queued(place: RecordPosition, key?: string): Promise<void> {
    return new Promise((give) => {
      const waiting: Waiting = { give, place, key };
      if (key !== undefined) this.#fresh.set(key, waiting);
      this.#waiting.push(place, waiting);
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
    const next = this.#nextWaiting();
    if (next === undefined || this.#suspensions > 0 || this.#isPreceded(next.rank)) {
      this.#isRunning = false;
      if (next === undefined) for (const resolve of this.#whenIdle.splice(0)) resolve();
      this.#told();
      return;
    }
    this.#waiting.pop();
    const { give, key } = next.value;
    next.value.give = undefined;
    if (key !== undefined) this.#fresh.delete(key);
    give?.();
    this.#afterRest();
  };

  /** The first that is not given: one that has taken another place is in the queue twice. */
  #nextWaiting(): { readonly rank: number; readonly value: Waiting } | undefined {
    let next = this.#waiting.first;
    for (; next?.value.give === undefined && next !== undefined; next = this.#waiting.first) this.#waiting.pop();
    return next;
  }

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
