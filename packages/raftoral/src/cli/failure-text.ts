/** A recorded error as text for people: what it says, where it was thrown, and what led to it. */
import type { RecordedFailure } from "../api/runs.ts";
import { visible } from "./visible.ts";

/** `TypeError (E1): no such item`. */
export function failureLine({ name, message, code }: RecordedFailure): string {
  return visible(`${name}${code === undefined ? "" : ` (${code})`}: ${message}`);
}

/** Lines of an error, its stack, its causes and the errors it is made of, each level further to the right. */
export function failureLines(failure: RecordedFailure): readonly string[] {
  return linesOf(failure, "", true);
}

/** Lines of what led to an error and of the errors it is made of, without their stacks. None when there is nothing of the kind. */
export function reasonLines(failure: RecordedFailure): readonly string[] {
  return linesOf(failure, "", false).slice(1);
}

function linesOf(failure: RecordedFailure, indent: string, hasStacks: boolean): readonly string[] {
  const { stack, cause, errors = [] } = failure;
  const inner = `${indent}  `;
  const lines = [`${indent}${failureLine(failure)}`];
  if (hasStacks && stack !== undefined) lines.push(...framesOf(stack).map((frame) => `${inner}${visible(frame)}`));
  if (cause !== undefined) lines.push(`${inner}Caused by:`, ...linesOf(cause, `${inner}  `, hasStacks));
  for (const [at, error] of errors.entries()) {
    lines.push(`${inner}Error ${at + 1} of ${errors.length}:`, ...linesOf(error, `${inner}  `, hasStacks));
  }
  return lines;
}

/** Lines of a stack that say where; those before them repeat the message. */
function framesOf(stack: string): readonly string[] {
  return stack
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("at "));
}
