/**
 * The three kinds of failure (see docs/errors.md for every code):
 * 1. A programmer's error: {@link invariant} throws {@link InvariantViolation}. It stops the node; the core never catches it.
 * 2. An expected outcome inside the core: a returned union, not an exception.
 * 3. A public failure: {@link RaftoralError}, with a literal `code` that has an entry in docs/errors.md.
 */

/** A broken invariant: a bug, or a disk that lost what it had acknowledged. The node that throws it must stop. */
export class InvariantViolation extends Error {
  override readonly name = "InvariantViolation";
}

/**
 * Throws {@link InvariantViolation} unless `condition` holds. `message` says what was expected of what; a function is called only when the
 * condition fails.
 */
export function invariant(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new InvariantViolation(typeof message === "string" ? message : message());
}

/** The part of a class that {@link brand} needs. */
type ErrorClass = abstract new (...args: never[]) => Error;

/**
 * Makes `instanceof` recognise a class's errors by a brand instead of by identity. A process may hold two copies of a package (a file with its
 * own node_modules, a bundle), and an error of one copy is an error for the other. Subclasses without a brand of their own keep the ordinary test.
 */
export function brand(errors: ErrorClass, name: string): void {
  const symbol = Symbol.for(`raftoral.${name}`);
  Object.defineProperty(errors.prototype, symbol, { value: true });
  Object.defineProperty(errors, Symbol.hasInstance, {
    value(this: unknown, value: unknown): boolean {
      if (this !== errors) return Function.prototype[Symbol.hasInstance].call(this as () => void, value);
      try {
        return typeof value === "object" && value !== null && symbol in value;
      } catch {
        // A proxy whose `has` trap throws.
        return false;
      }
    },
  });
}

/** Options of a {@link RaftoralError}. */
export interface RaftoralErrorOptions {
  /** Whether the same call may succeed later without a change by the caller (false). */
  readonly retryable?: boolean;
  /** The error or value that led to this error. */
  readonly cause?: unknown;
  /** Facts for programs ({}): ids, limits, hints such as the leader's address. Structured-cloneable. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Base of every public failure. `message` says what happened, to what, and what to do. Packages declare their codes as a
 * union and narrow `Code`, e.g. `class StorageError extends RaftoralError<StorageErrorCode>`.
 */
export class RaftoralError<Code extends string = string> extends Error {
  static {
    brand(RaftoralError, "RaftoralError");
  }

  override readonly name: string = "RaftoralError";
  /** Names the kind of failure for programs. Every code has an entry in docs/errors.md. */
  readonly code: Code;
  /** Whether the same call may succeed later without a change by the caller. */
  readonly retryable: boolean;
  /** Facts for programs: ids, limits, hints. Empty when there are none. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, options: RaftoralErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/** Codes of raft-core, thrown by the driver. */
export type RaftErrorCode =
  | "CONFIG_INVALID"
  | "DEADLINE_EXCEEDED"
  | "NO_LEADER"
  | "NODE_STOPPED"
  | "NODE_FAILED"
  | "NODE_REMOVED"
  | "NODE_UNKNOWN"
  | "OVERLOADED"
  | "PAYLOAD_TOO_LARGE"
  | "PROPOSAL_OUTCOME_UNKNOWN"
  | "CONF_CHANGE_INVALID"
  | "CONF_CHANGE_REFUSED"
  | "SNAPSHOT_UNAVAILABLE"
  | "STATE_MISMATCH"
  | "CODEC_INVALID";

/** A failure that raft-core reports to its caller. */
export class RaftError extends RaftoralError<RaftErrorCode> {
  static {
    brand(RaftError, "RaftError");
  }

  override readonly name = "RaftError";
}
