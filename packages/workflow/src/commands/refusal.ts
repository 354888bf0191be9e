/** Refusals: how a command that cannot be applied is answered. */
import type { RefusalCode } from "../errors.ts";

/** The command was refused and changed nothing (but the log clock). */
export interface Refused {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** See {@link Refused}. */
export function refused(code: RefusalCode, message: string, details?: Readonly<Record<string, unknown>>): Refused {
  return details === undefined ? { ok: false, code, message } : { ok: false, code, message, details };
}
