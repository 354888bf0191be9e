/** Runs one call at a time; what is wanted meanwhile is followed by another. */
export class Repeated {
  readonly #run: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #isRunning = false;
  #again = false;

  constructor(run: () => Promise<void>, failed: (error: unknown) => void) {
    this.#run = run;
    this.#failed = failed;
  }

  /** Runs the call now, or once more after the present one. */
  wanted(): void {
    this.#again = this.#isRunning;
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#run()
      .catch(this.#failed)
      .finally(() => {
        this.#isRunning = false;
        if (this.#again) this.wanted();
      });
  }
}
