/** The update by which somebody outside sets a variable of a body. */

/** Its name. Definitions of workflows may not have it. */
export const SET_VARIABLE = "raftoral.set-variable";

/** Which variable, and its new value. */
export interface VariableChange {
  /** Enclosing scopes and name, as in `ship/status`. */
  readonly variable: string;
  /** Absent for undefined. */
  readonly value?: unknown;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The input of the update. `value`: JSON as UTF-8; empty stands for undefined. */
export function encodeVariableChange(variable: string, value: Uint8Array): Uint8Array {
  const named = JSON.stringify(variable);
  const given = value.length === 0 ? "" : `,"value":${decoder.decode(value)}`;
  return encoder.encode(`{"variable":${named}${given}}`);
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
