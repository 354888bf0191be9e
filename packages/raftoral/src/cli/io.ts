/**
 * What the command line touches of its process, so that tests can be the process. Commands get it through `printableIo`.
 */
import type { Tone } from "../logging/log-lines.ts";

/** The process of a command line. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTty: boolean;
  /** To standard output; on a terminal in the tone's colour (plain). */
  out(text: string, tone?: Tone): void;
  /** To standard error. */
  err(text: string): void;
  /** Puts a line of progress in the place of the one before, on the terminal of standard error; an empty one clears it. */
  bar(line: string): void;
  /** All of standard input. */
  readStdin(): Promise<string>;
  /** Calls `handler` at SIGINT and SIGTERM. Returns how to stop. */
  onSignal(handler: (signal: "SIGINT" | "SIGTERM") => void): () => void;
  /** Calls `handler` at SIGHUP, which ends the process otherwise. Returns how to stop. */
  onHangUp(handler: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): never;
}

/** The real process. */
export function processIo(): CliIo {
  // The reader may go first: `raftoral list | head`, or a node's log collector. The output is lost, and nothing else.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  return {
    env: process.env,
    isTty: process.stdout.isTTY === true,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    bar: (line) => void process.stderr.write(`\r\u001b[2K${line}`),
    readStdin: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks).toString("utf8");
    },
    onSignal: (handler) => {
      process.on("SIGINT", handler);
      process.on("SIGTERM", handler);
      return () => {
        process.off("SIGINT", handler);
        process.off("SIGTERM", handler);
      };
    },
    onHangUp: (handler) => {
      process.on("SIGHUP", handler);
      return () => process.off("SIGHUP", handler);
    },
    exit: (code) => process.exit(code),
  };
}
