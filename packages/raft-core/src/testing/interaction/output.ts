/** The output of a directive. The log level `none` suppresses it, and a command that runs others indents theirs. */
export class Output {
  /** The log level, in lower case. `none` suppresses everything except errors, which are returned and not printed here. */
  level = "debug";
  #text = "";

  /** Whether output is suppressed. */
  get quiet(): boolean {
    return this.level === "none";
  }

  /** Appends text unless output is suppressed. */
  write(text: string): void {
    if (!this.quiet) this.#text += text;
  }

  /** Returns the text written since the last call, and clears it. */
  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }

  /** Runs `body` and indents each line that it writes by two spaces. Every line then ends with a line feed. */
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
