/** The command line `raftoral` in a test's process, with signals that are not the process's own. */
import type { CliIo } from "../cli/io.ts";
import { runCli } from "../cli/program.ts";
import { serve } from "../cli/serve.ts";

type Signal = "SIGINT" | "SIGTERM";

/** A process that runs one command line, told to stop as a real one is. */
export class FakeProcess implements CliIo {
  readonly env: Readonly<Record<string, string>>;
  readonly isTty = false;
  readonly ended: Promise<number>;
  bar(): void {}

  errors = "";
  exitCode: number | undefined;
  readonly #records: Record<string, unknown>[] = [];
  readonly #hangUps = new Set<() => void>();
  readonly #handlers = new Set<(signal: Signal) => void>();
  #heard = Promise.withResolvers<void>();

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.env = env;
    this.ended = runCli(args, this, serve);
  }

  out(text: string): void {
    this.#records.push(JSON.parse(text));
    this.#heard.resolve();
    this.#heard = Promise.withResolvers();
  }

  err(text: string): void {
    this.errors += text;
  }

  async readStdin(): Promise<string> {
    return "";
  }

  onSignal(handler: (signal: Signal) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  onHangUp(handler: () => void): () => void {
    this.#hangUps.add(handler);
    return () => this.#hangUps.delete(handler);
  }

  /** As the end of a terminal, or an operator, does. Whether anybody heard. */
  hangUp(): boolean {
    for (const handler of this.#hangUps) handler();
    return this.#hangUps.size > 0;
  }

  exit(code: number): never {
    this.exitCode = code;
    throw new Error("the process ends here");
  }

  kill(signal: Signal): void {
    for (const handler of this.#handlers) handler(signal);
  }

  /** The first log record with this message, once it is there. */
  async logged(message: string): Promise<Record<string, unknown>> {
    const late = AbortSignal.timeout(10_000);
    for (;;) {
      const record = this.#records.find((each) => each.msg === message);
      if (record !== undefined) return record;
      if (late.aborted) throw new Error(`never logged: ${message}; but ${JSON.stringify(this.#records)}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      late.addEventListener("abort", () => resolve(), { once: true });
      await Promise.race([this.#heard.promise, promise]);
    }
  }
}
