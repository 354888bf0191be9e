/**
 * One process of a node, from start to crash. What belongs to it (timers, messages to it, results of its writes) does not
 * happen after its end, and waits while it is paused.
 */
export class Life {
  /** Which process of its node: 1 for the first. */
  readonly number: number;
  #isAlive = true;
  #isPaused = false;
  #held: { readonly kind: string; readonly run: () => void }[] = [];
  readonly #endings: (() => void)[] = [];

  constructor(number: number) {
    this.number = number;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Runs `run` now, after the pause, or never. */
  deliver(kind: string, run: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isPaused) this.#held.push({ kind, run });
    else run();
  }

  pause(): void {
    this.#isPaused = true;
  }

  /** Ends the pause and returns what happened to the process meanwhile, in order. */
  resume(): readonly { readonly kind: string; readonly run: () => void }[] {
    this.#isPaused = false;
    const held = this.#held;
    this.#held = [];
    return held;
  }

  /** Calls `then` when the process ends. */
  onEnd(then: () => void): void {
    this.#endings.push(then);
  }

  end(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#held = [];
    for (const then of this.#endings) then();
  }
}
