/**
 * What the failure of a model call means for the step that made it.
 *
 * MF1. A failure that the provider calls final, and one of the call itself (no key, no such model, an invalid prompt), ends the attempts.
 * MF2. A failure that names the time of the next attempt (`retry-after-ms`, `retry-after`) gets its next attempt then, after an hour at the latest.
 * MF3. Every other failure is left to the step's retry policy.
 * MF4. Whatever a provider throws, or says in its headers, is an error with a message here. Nothing else is thrown.
 */
import { RetryableError, TerminalError } from "@raftoral/workflow";

/** The longest delay that a provider's header is believed. */
const MAX_DELAY_MS = 60 * 60 * 1000;

/** Errors of the AI SDK that no further attempt makes good. */
const FINAL: ReadonlySet<string> = new Set([
  "AI_InvalidArgumentError",
  "AI_InvalidPromptError",
  "AI_LoadAPIKeyError",
  "AI_LoadSettingError",
  "AI_NoSuchModelError",
  "AI_NoSuchProviderReferenceError",
  "AI_UnsupportedFunctionalityError",
]);

/** What the step throws for what a model call has thrown. `model` names the model in the message. `nowMs` is the time, in ms since the epoch. */
export function modelFailure(thrown: unknown, model: string, nowMs: number): unknown {
  const message = messageOf(thrown);
  const isRetryable = property(thrown, "isRetryable");
  const name = property(thrown, "name");
  if (isRetryable === false || (typeof name === "string" && FINAL.has(name))) {
    return new TerminalError(`Model ${model} refused the call, and no further attempt is made: ${message}`, {
      code: "MODEL_CALL_REFUSED",
      cause: thrown,
    });
  }
  const delayMs = delayOf(thrown, nowMs);
  if (delayMs === undefined)
    return thrown instanceof Error ? thrown : new Error(`Model ${model} failed: ${message}`, { cause: thrown });
  return new RetryableError(`Model ${model} takes no call now: ${message}`, { delay: delayMs, cause: thrown });
}

/** A provider's stream may end with an error that is no Error: its message, or its JSON. */
function messageOf(thrown: unknown): string {
  const message = property(thrown, "message");
  if (typeof message === "string") return message;
  try {
    return (typeof thrown === "object" ? JSON.stringify(thrown) : String(thrown)) ?? "something without a message";
  } catch {
    return "something that cannot be shown as text";
  }
}

function delayOf(thrown: unknown, nowMs: number): number | undefined {
  const headers = property(thrown, "responseHeaders") ?? property(property(thrown, "cause"), "responseHeaders");
  const inMs = asNumber(property(headers, "retry-after-ms"));
  const after = property(headers, "retry-after");
  const seconds = asNumber(after);
  const delayMs = inMs ?? (seconds === undefined ? untilDate(after, nowMs) : seconds * 1000);
  return delayMs === undefined ? undefined : Math.min(Math.max(Math.ceil(delayMs), 0), MAX_DELAY_MS);
}

function asNumber(header: unknown): number | undefined {
  return typeof header === "string" && /^\s*\d+(\.\d+)?\s*$/.test(header) ? Number(header) : undefined;
}

function untilDate(header: unknown, nowMs: number): number | undefined {
  const atMs = typeof header === "string" ? Date.parse(header) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : atMs - nowMs;
}

function property(of: unknown, name: string): unknown {
  try {
    return typeof of === "object" && of !== null ? Reflect.get(of, name) : undefined;
  } catch {
    return undefined;
  }
}
