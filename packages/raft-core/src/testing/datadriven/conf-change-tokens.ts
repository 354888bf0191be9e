/** Configuration changes in the form of scripts: `v1 l2 r3 u4`. */
import type { ConfChangeSingle, ConfChangeType } from "../../types.ts";
import { parseWhole, ScriptError } from "./arguments.ts";

const LETTERS: Readonly<Record<ConfChangeType, string>> = {
  AddNode: "v",
  AddLearnerNode: "l",
  RemoveNode: "r",
  UpdateNode: "u",
};
const TYPES: ReadonlyMap<string, ConfChangeType> = new Map(
  Object.entries(LETTERS).map(([type, letter]) => [letter, type as ConfChangeType]),
);

/** Reads changes separated by spaces. Throws ScriptError for an unknown one. */
export function parseConfChanges(text: string): ConfChangeSingle[] {
  const tokens = text.split(/\s+/).filter((token) => token !== "");
  return tokens.map((token) => {
    const type = TYPES.get(token.slice(0, 1));
    if (token.length < 2) throw new ScriptError(`unknown token ${token}`);
    if (type === undefined) throw new ScriptError(`unknown input: ${token}`);
    return { type, nodeId: parseNodeId(token.slice(1)) };
  });
}

/** The inverse of {@link parseConfChanges}. */
export function describeConfChanges(changes: readonly ConfChangeSingle[]): string {
  return changes.map(({ type, nodeId }) => `${LETTERS[type]}${nodeId}`).join(" ");
}

function parseNodeId(text: string): number {
  // The error text of Go, which scripts may expect.
  if (!/^[0-9]+$/.test(text)) throw new ScriptError(`strconv.ParseUint: parsing "${text}": invalid syntax`);
  return parseWhole(text);
}
