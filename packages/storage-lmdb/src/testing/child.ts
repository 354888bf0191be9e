/** Starts writer processes and listens to them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const WRITER = fileURLToPath(new URL("./writer-process.ts", import.meta.url));

/** A process that writes to a data folder until it is killed. */
export interface Writer {
  readonly process: ChildProcess;
  /** Indexes acknowledged so far. */
  readonly acknowledged: number[];
  readonly lines: string[];
  /** Resolves once `condition` holds after some line, rejects when the process ends before. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
}

const running = new Set<Writer>();

/** Ends the writers that a test left running: one that failed half-way must not leave a process, and a folder that it fills. */
export async function killWriters(): Promise<void> {
  for (const writer of running) {
    writer.process.kill("SIGKILL");
    await writer.ended;
  }
}

/** Runs the writer, below `wrapper` (such as strace and its options) when one is given. */
export function startWriter(args: readonly string[], wrapper: readonly string[] = []): Writer {
  const command = [...wrapper, process.execPath, "--conditions=@raftoral/source", WRITER, ...args];
  const child = spawn(command[0] as string, command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
  const lines: string[] = [];
  const acknowledged: number[] = [];
  let rest = "";
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      lines.push(line);
      if (/^\d+$/.test(line)) acknowledged.push(Number(line));
    }
    child.emit("line");
  });
  // "close" and not "exit": all output has been read by then.
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  const until = async (condition: () => boolean): Promise<void> => {
    let over = false;
    ended.then(() => {
      over = true;
      child.emit("line");
    });
    while (!condition()) {
      if (over) throw new Error(`the writer ended: ${lines.slice(-3).join(" | ")} ${errors}`);
      await once(child, "line");
    }
  };
  const writer: Writer = { process: child, acknowledged, lines, until, ended };
  running.add(writer);
  void ended.finally(() => running.delete(writer));
  return writer;
}
