/**
 * What was thrown, in the form in which it is recorded.
 *
 * E1. Never throws: what was thrown is the author's, down to proxies that are revoked and properties that throw when they are read.
 * E2. Bounded: in the length of each text, in the depth of causes, in the number of an aggregate's errors, and in all.
 * E3. Nothing that says why is dropped: causes, the errors of an AggregateError, numeric codes, and the content of a plain object that was thrown.
 */
import type { RecordedError } from "../../model/failure.ts";
import { StepFailedError } from "./errors.ts";

/** Longest texts that are recorded of one error, in UTF-16 units. */
const MAX_NAME_LENGTH = 200;
const MAX_MESSAGE_LENGTH = 8 * 1024;
const MAX_STACK_LENGTH = 4 * 1024;
/** Causes of causes. */
const MAX_DEPTH = 8;
/** Errors of an aggregate. */
const MAX_ERRORS = 16;
/** Texts of an error with all of its causes and errors, in UTF-16 units. */
const MAX_LENGTH = 64 * 1024;

/** What was thrown, as it is recorded. A failed step gives its own failure's code. */
export function recordedError(thrown: unknown): RecordedError {
  return new Recorder().record(thrown, 0);
}

class Recorder {
  #left = MAX_LENGTH;
  readonly #seen = new Set<unknown>();

  record(thrown: unknown, depth: number): RecordedError {
    const own = hasMoreToSay(thrown) ? undefined : this.#text(thrown, "message", MAX_MESSAGE_LENGTH);
    const message = own ?? this.#cut(shown(thrown), MAX_MESSAGE_LENGTH);
    this.#seen.add(thrown);
    const code = thrown instanceof StepFailedError ? thrown.failure.code : this.#code(thrown);
    const stack = this.#text(thrown, "stack", MAX_STACK_LENGTH);
    const cause = this.#inner(property(thrown, "cause"), depth);
    const errors = this.#errors(thrown, depth);
    return {
      name: this.#text(thrown, "name", MAX_NAME_LENGTH) ?? "Error",
      message,
      ...(code === undefined || code === "" ? {} : { code }),
      ...(stack === undefined || stack === "" ? {} : { stack }),
      ...(cause === undefined ? {} : { cause }),
      ...(errors.length === 0 ? {} : { errors }),
    };
  }

  #inner(thrown: unknown, depth: number): RecordedError | undefined {
    if (thrown === undefined || thrown === null || depth >= MAX_DEPTH || this.#left <= 0 || this.#seen.has(thrown)) {
      return undefined;
    }
    return this.record(thrown, depth + 1);
  }

  #errors(thrown: unknown, depth: number): readonly RecordedError[] {
    const errors = property(thrown, "errors");
    const found: RecordedError[] = [];
    for (let at = 0; at < MAX_ERRORS && isList(errors); at++) {
      const one = property(errors, at);
      if (one === undefined) break;
      const recorded = this.#inner(one, depth);
      if (recorded !== undefined) found.push(recorded);
    }
    return found;
  }

  #code(thrown: unknown): string | undefined {
    const code = property(thrown, "code");
    if (typeof code === "number" || typeof code === "bigint") return String(code);
    return typeof code === "string" ? this.#cut(code, MAX_NAME_LENGTH) : undefined;
  }

  #text(of: unknown, name: string, maxLength: number): string | undefined {
    const value = property(of, name);
    return typeof value === "string" ? this.#cut(value, maxLength) : undefined;
  }

  #cut(text: string, maxLength: number): string {
    // Half of a surrogate pair at the cut cannot be kept as UTF-8.
    const cut = text.slice(0, Math.max(0, Math.min(maxLength, this.#left))).toWellFormed();
    this.#left -= cut.length;
    return cut;
  }
}

/** What a recorded error has fields for. */
const RECORDED: ReadonlySet<string> = new Set(["name", "message", "code", "stack", "cause", "errors"]);

/** Whether a plain object was thrown with fields that a recorded error has not: its JSON is the message then. An Error's message is not enumerable. */
function hasMoreToSay(thrown: unknown): boolean {
  if (typeof thrown !== "object" || thrown === null) return false;
  try {
    const keys = Object.keys(thrown);
    return keys.includes("message") && keys.some((key) => !RECORDED.has(key));
  } catch {
    return false;
  }
}

function isList(value: unknown): value is object {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

function property(of: unknown, name: string | number): unknown {
  if (typeof of !== "object" || of === null) return undefined;
  try {
    return Reflect.get(of, name);
  } catch {
    return undefined;
  }
}

/** What is no error, in words: the JSON of an object, for `[object Object]` says nothing. */
function shown(thrown: unknown): string {
  try {
    if (typeof thrown === "object" && thrown !== null) {
      const text: unknown = JSON.stringify(thrown);
      if (typeof text === "string" && text !== "{}") return text;
    }
    return String(thrown);
  } catch {
    return "something that cannot be shown as text was thrown";
  }
}
