/** How a failure looks on a terminal: one message with its code; the stack only when asked for. */
import { RaftoralError } from "@raftoral/raft-core";
import { WorkflowFailedError } from "@raftoral/workflow";
import { reasonLines } from "./failure-text.ts";

/** How an error is to be printed. */
export interface ErrorStyle {
  readonly isJson: boolean;
  readonly isVerbose: boolean;
}

/** The text of an error, ending in a line break. A failed run is shown with what led to its failure. */
export function formatError(error: unknown, style: ErrorStyle): string {
  const { code, message, retryable, details } = describe(error);
  if (style.isJson) return `${JSON.stringify({ error: { code, message, retryable, details } })}\n`;
  const advice = retryable ? "\nTrying again may help." : "";
  const reasons = error instanceof WorkflowFailedError ? reasonLines(error.failure).map((line) => `\n${line}`) : [];
  const stack = style.isVerbose ? `\n${continued(stackOf(error))}` : "";
  return `Error ${code}: ${continued(message)}${reasons.join("")}${advice}${stack}\n`;
}

/** Text whose further lines do not look like lines of this program's own, whatever it quotes. */
export function continued(text: string): string {
  return text.replaceAll("\n", "\n  ");
}

function describe(error: unknown): Pick<RaftoralError, "code" | "message" | "retryable" | "details"> {
  if (error instanceof RaftoralError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: "INTERNAL",
    message: `${message} (run again with --verbose for the stack)`,
    retryable: false,
    details: {},
  };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
