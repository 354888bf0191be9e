/**
 * The one way of text from the command line to a terminal.
 *
 * Invariants:
 * P1. What leaves through `out` and `err` has no control character but line ends and tabs, wherever the text comes from: ids, types, errors and
 *     values come from strangers, and a terminal obeys escape sequences.
 * P2. Colours are added behind that, by tone; no text brings its own.
 */
import type { Tone } from "../logging/log-lines.ts";
import type { CliIo } from "./io.ts";
import { printable } from "./visible.ts";

const COLORS: Readonly<Record<Tone, string>> = { plain: "", warning: "\x1b[33m", failure: "\x1b[31m" };
const RESET = "\x1b[0m";

/** The same process with P1 and P2. */
export function printableIo(io: CliIo): CliIo {
  return {
    env: io.env,
    isTty: io.isTty,
    out: (text, tone = "plain") => io.out(io.isTty ? tinted(printable(text), tone) : printable(text)),
    err: (text) => io.err(printable(text)),
    bar: (line) => io.bar(printable(line)),
    readStdin: () => io.readStdin(),
    onSignal: (handler) => io.onSignal(handler),
    onHangUp: (handler) => io.onHangUp(handler),
    exit: (code) => io.exit(code),
  };
}

function tinted(text: string, tone: Tone): string {
  if (tone === "plain") return text;
  const line = text.endsWith("\n") ? text.slice(0, -1) : text;
  return `${COLORS[tone]}${line}${RESET}${text.slice(line.length)}`;
}
