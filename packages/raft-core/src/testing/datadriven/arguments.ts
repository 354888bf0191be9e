/** The arguments of a directive. Every function throws a ScriptError for a wrong argument. */

/** A mistake in a script, unlike a mismatch of its output. */
export class ScriptError extends Error {
  override readonly name = "ScriptError";
}

/** An argument: `key`, `key=`, `key=value` or `key=(a, b)`. */
export interface Argument {
  readonly key: string;
  /** Undefined for a bare key; `[""]` for `key=`; `[]` for `key=()`. */
  readonly values: readonly string[] | undefined;
}

/** Splits the rest of a directive's line at spaces, except between parentheses after `=`. Quotes have no meaning. */
export function parseArguments(text: string): Argument[] {
  const found: Argument[] = [];
  const pattern = /([^\s=]+)(?:=(?:\(([^)]*)\)|(\S*)))?(?:\s+|$)/y;
  let rest = text.trimStart();
  while (rest !== "") {
    pattern.lastIndex = 0;
    const match = pattern.exec(rest);
    if (match === null) throw new ScriptError(`cannot read the arguments from here on: ${rest}`);
    const [whole, key = "", list, value] = match;
    if (list !== undefined) found.push({ key, values: splitList(list) });
    else found.push({ key, values: value === undefined ? undefined : [value] });
    rest = rest.slice(whole.length);
  }
  return found;
}

function splitList(list: string): string[] {
  return list.trim() === "" ? [] : list.split(",").map((item) => item.trim());
}

/** Reads a whole number from 0, without sign or spaces. */
export function parseWhole(text: string): number {
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value)) throw new ScriptError(`${text} is not a whole number`);
  return value;
}

/** Reads a boolean in any spelling that Go's ParseBool accepts. */
export function parseBool(text: string): boolean {
  if (/^(1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new ScriptError(`strconv.ParseBool: parsing "${text}": invalid syntax`);
}

/** The value of an argument that must have exactly one. */
export function singleValue(argument: Argument): string {
  const [value, ...more] = argument.values ?? [];
  if (value === undefined || more.length > 0) throw new ScriptError(`${argument.key} takes one value`);
  return value;
}

/** The values of an argument as whole numbers; empty for `key=` and `key=()`. */
export function wholeValues(argument: Argument): number[] {
  return (argument.values ?? []).filter((value) => value !== "").map(parseWhole);
}
