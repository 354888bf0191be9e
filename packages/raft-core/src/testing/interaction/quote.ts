/** Quoting in the form of Go's `%q`. */

const SHORT_ESCAPES: ReadonlyMap<number, string> = new Map([
  [0x07, "\\a"],
  [0x08, "\\b"],
  [0x0c, "\\f"],
  [0x0a, "\\n"],
  [0x0d, "\\r"],
  [0x09, "\\t"],
  [0x0b, "\\v"],
  [0x22, '\\"'],
  [0x5c, "\\\\"],
]);
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes as Go's `%q` prints a string: in double quotes, with escapes for characters that are not printable. */
export function quote(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    const length = runeLength(bytes[at] as number);
    const rune = decodeRune(bytes.subarray(at, at + length));
    text += rune === undefined ? `\\x${hex(bytes[at] as number, 2)}` : escapeRune(rune);
    at += rune === undefined ? 1 : length;
  }
  return `"${text}"`;
}

function runeLength(first: number): number {
  return first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

function decodeRune(bytes: Uint8Array): string | undefined {
  try {
    const text = strictUtf8.decode(bytes);
    return [...text].length === 1 ? text : undefined;
  } catch {
    // Not UTF-8. Go prints such a byte as an escape of its own.
    return undefined;
  }
}

function escapeRune(rune: string): string {
  const code = rune.codePointAt(0) as number;
  const short = SHORT_ESCAPES.get(code);
  if (short !== undefined) return short;
  if (PRINTABLE.test(rune)) return rune;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
