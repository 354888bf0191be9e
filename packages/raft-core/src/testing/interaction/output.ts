/** What a directive prints: silenced by log level `none`, indented where one command runs others. */
export class Output {
  /** Lower case. `none` silences everything but errors, which are not printed here but returned. */
  level = "debug";
  #text = "";

  get quiet(): boolean {
    return this.level === "none";
  }

  write(text: string): void {
    if (!this.quiet) this.#text += text;
  }

  /** Everything written since the last call. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  /** Runs `body` and indents each line it writes by two blanks. Every line ends with a line feed then. */
  indented(body: () => void): void {
    const outer = this.take();
    let failure: unknown;
    try {
      body();
    } catch (error) {
      failure = error;
    }
    const inner = this.take();
    const lines = inner === "" ? [] : inner.replace(/\n$/, "").split("\n");
    this.#text = outer + lines.map((line) => `  ${line}\n`).join("");
    if (failure !== undefined) throw failure;
  }
}
