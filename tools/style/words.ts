// Words and turns that a reader whose first language is not English has to solve like a riddle, and where they stand.

/** What to write in their place: the node, caller or user that is meant; again; no node, no caller; useless; works as well; not any more. */
const RIDDLES = ["whoever", "whomever", "anew", "nobody", "of no use", "is as good", "no more"];

/** Between two words of a turn: spaces, or the end of a line and the beginning of the next line of a comment. */
const GAP = String.raw`(?:\s|\/\/|\*|>)+`;
const PATTERN = new RegExp(String.raw`\b(?:${RIDDLES.map((turn) => turn.replaceAll(" ", GAP)).join("|")})\b`, "gi");

/** A riddle and its line. */
export interface Riddle {
  readonly word: string;
  readonly line: number;
}

/** The riddles of a text: comments, names and literals of a program alike. */
export function riddlesIn(text: string): readonly Riddle[] {
  return [...text.matchAll(PATTERN)].map((match) => ({
    word: match[0].replaceAll(/\s+/g, " "),
    line: text.slice(0, match.index).split("\n").length,
  }));
}
