/** A node's log as lines of text on stdout, which `NodeProcess` leads into the process's log file. */
import type { Logger } from "@raftoral/raft-core";

/** A logger that writes each entry as one line to stdout. */
export function stdoutLogger(): Logger {
  const write = (level: string) => (fields: object, message: string) => {
    const facts = Object.entries(fields).map(([name, value]) => ` ${name}=${shown(value)}`);
    process.stdout.write(`${new Date().toISOString()} ${level} ${message}${facts.join("")}\n`);
  };
  return { debug: () => {}, info: write("info"), warn: write("warn"), error: write("error") };
}

function shown(value: unknown): string {
  if (value instanceof Error) return value.stack ?? value.message;
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return String(value);
  }
}
