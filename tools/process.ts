// Runs a command to its end: the tools' only way to start a process.

import { spawn } from "node:child_process";
import { dirname, join } from "node:path";

/** The repository's root folder. */
export const root = dirname(import.meta.dirname);

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Show the output as it comes instead of collecting it. */
  readonly live?: boolean;
  /** Kill it after this time; the outcome is not ok then. No bound unless given. */
  readonly timeoutMs?: number;
}

export interface Outcome {
  readonly ok: boolean;
  /** What stdout and stderr received, in order of arrival; empty when it was shown live. */
  readonly output: string;
}

/** Path of a program that a root dependency installed. Each is a script of Node or, for some, a binary: run it as it is. */
export function installed(program: string): string {
  return join(root, "node_modules", ".bin", process.platform === "win32" ? `${program}.cmd` : program);
}

/** Runs `command` without stdin. A command that cannot be started is an outcome too, with the reason as its output. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const chunks: string[] = [];
  const sink = options.live === true ? "inherit" : "pipe";
  const child = spawn(command, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", sink, sink],
    shell: command.endsWith(".cmd"),
    timeout: options.timeoutMs,
    killSignal: "SIGKILL",
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => chunks.push(text));
  }
  child.on("error", (error) => resolve({ ok: false, output: error.message }));
  child.on("close", (code, signal) => {
    if (signal !== null) chunks.push(`\n${command} was ended by ${signal}\n`);
    resolve({ ok: code === 0, output: chunks.join("") });
  });
  return promise;
}
