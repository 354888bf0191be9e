/** The update by which somebody outside sets a variable of a body. */
import { isBinary, isEncoded } from "./payload-envelope.ts";

/** Its name. Definitions of workflows may not have it. */
export const SET_VARIABLE = "raftoral.set-variable";

/** Which variable, and its new value. */
export interface VariableChange {
  /** Enclosing scopes and name, as in `ship/status`. */
  readonly variable: string;
  /** Absent for undefined. */
  readonly value?: unknown;
  /** In its place, a value that has an envelope, because it is encoded or bytes: the bytes of the envelope, in hexadecimal digits. */
  readonly sealed?: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const HEX = /^(?:[0-9a-f]{2})+$/;

/** The input of the update. `value`: JSON as UTF-8, or an envelope; empty stands for undefined. The name of the variable can be read in either. */
export function encodeVariableChange(variable: string, value: Uint8Array): Uint8Array {
  const named = JSON.stringify(variable);
  if (isEncoded(value) || isBinary(value)) return encoder.encode(`{"variable":${named},"sealed":"${hexOf(value)}"}`);
  const given = value.length === 0 ? "" : `,"value":${decoder.decode(value)}`;
  return encoder.encode(`{"variable":${named}${given}}`);
}

/** The envelope of a value that has one; undefined for another change. */
export function sealedIn(change: unknown): Uint8Array | undefined {
  const { sealed } = (typeof change === "object" && change !== null ? change : {}) as Partial<VariableChange>;
  if (typeof sealed !== "string" || !HEX.test(sealed)) return undefined;
  return Uint8Array.from(sealed.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** The variable that an input names; empty for another input. */
export function variableIn(input: Uint8Array): string {
  try {
    const { variable } = JSON.parse(decoder.decode(input)) as Partial<VariableChange>;
    return typeof variable === "string" ? variable : "";
  } catch {
    return "";
  }
}
