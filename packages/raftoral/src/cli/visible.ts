/** Text that can do nothing to a terminal, and nothing to the order of what is shown. */

/** Control characters, C1 and DEL among them, line separators, and marks that turn the direction of text. */
const INVISIBLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;

/** One line of text: every character that would not be seen is written as its escape. */
export function visible(text: string): string {
  return text.replace(INVISIBLE, escaped);
}

/** Text of any number of lines: line ends and tabs stay. JSON stays the same JSON, for such characters are only in its strings. */
export function printable(text: string): string {
  return text.replace(INVISIBLE, (char) => (char === "\n" || char === "\t" ? char : escaped(char)));
}

function escaped(char: string): string {
  const json = JSON.stringify(char).slice(1, -1);
  // JSON leaves DEL, C1 and the marks as they are.
  return json === char ? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}` : json;
}
