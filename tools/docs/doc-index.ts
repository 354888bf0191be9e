// The index of documents and decisions in docs/README.md: what it must list, and the part that is written for it.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../process.ts";
import { filesIn } from "../workspace.ts";

/** The index itself. */
export const INDEX = join(root, "docs/README.md");

const BEGIN = "<!-- decisions: npm run fix writes this list -->";
const END = "<!-- end of the list -->";

/** A document and the first heading in it. */
export interface Document {
  /** From docs/, with `/`. */
  readonly path: string;
  readonly title: string;
}

/** Every document of docs/ but the index, decisions apart. */
export async function documents(): Promise<{
  readonly pages: readonly Document[];
  readonly decisions: readonly Document[];
}> {
  const paths = (await filesIn(join(root, "docs"), ["**/*.md"])).filter((path) => path !== "README.md");
  const all = await Promise.all(paths.map(async (path) => ({ path, title: await titleOf(path) })));
  return {
    pages: all.filter(({ path }) => !path.startsWith("adr/")),
    decisions: all.filter(({ path }) => path.startsWith("adr/")),
  };
}

async function titleOf(path: string): Promise<string> {
  const text = await readFile(join(root, "docs", path), "utf8");
  return /^# (.+)$/m.exec(text)?.[1]?.trim() ?? "";
}

/** The index with its list of decisions as they are now. Throws when the index has no place for it. */
export function withDecisions(index: string, decisions: readonly Document[]): string {
  const begin = index.indexOf(BEGIN);
  const end = index.indexOf(END);
  if (begin === -1 || end < begin)
    throw new Error(`docs/README.md has no place for the decisions: ${BEGIN} ... ${END}`);
  const list = decisions.map(({ path, title }) => `- [${title}](${path})`).join("\n");
  return `${index.slice(0, begin)}${BEGIN}\n${list}\n${index.slice(end)}`;
}

/** The links of the index, with their texts. */
export function linksOf(index: string): readonly Document[] {
  return [...index.matchAll(/\[([^\]]+)\]\(([^)#]+)\)/g)].map(([, title = "", path = ""]) => ({ path, title }));
}
