// docs/options.md, written from the option types (`npm run fix`); a test compares.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../process.ts";
import { type WorkspacePackage, workspacePackages } from "../workspace.ts";
import { fixedLimits } from "./fixed-limits.ts";
import { type Option, type OptionType, optionTypes } from "./options.ts";

/** Where the page is. */
export const OPTIONS_PAGE = join(root, "docs/options.md");

/** What users set most comes first; other packages follow in the order of their names. */
const ORDER = ["raftoral", "workflow", "transport-grpc", "storage-lmdb", "raft-core", "transport-memory", "agents"];

const INTRODUCTION = `# Options

Every option and limit of every package, with its default. \`npm run fix\` writes this page from the types and their docstrings; a test fails when it is out
of date. Lengths of time are in milliseconds and sizes in bytes unless their name says otherwise. A "-" as default means: none, or not used.

The command line takes the most used ones as flags (\`raftoral start --help\`), and all of \`NodeSettings\` from a file of JSON (\`--config FILE\`), beside
\`workflows\` (files), \`logLevel\` (\`debug\`, \`info\`, \`warn\`, \`error\`, \`silent\`) and \`logFormat\` (\`auto\`, \`json\`, \`pretty\`). \`RAFTORAL_NODE\` is the node that
commands ask, and \`RAFTORAL_TLS_CA\`, \`RAFTORAL_TLS_CERT\` and \`RAFTORAL_TLS_KEY\` are their certificates, where no flag says otherwise.
`;

/** The whole page. */
export async function optionsPage(): Promise<string> {
  const packages = (await workspacePackages()).filter(({ published }) => published).toSorted(byOrder);
  const sections = await Promise.all(packages.map(section));
  return [INTRODUCTION, ...sections.filter((text) => text !== ""), await fixed()].join("\n");
}

/** The page as it is committed. */
export function committedPage(): Promise<string> {
  return readFile(OPTIONS_PAGE, "utf8");
}

/** Limits that nothing sets. */
async function fixed(): Promise<string> {
  const rows = (await fixedLimits()).map(({ what, value }) => `| ${what} | ${value} |`);
  return `## Fixed limits\n\nNo option sets these.\n\n| What | At most |\n|---|---|\n${rows.join("\n")}\n`;
}

function byOrder(a: WorkspacePackage, b: WorkspacePackage): number {
  const place = ({ shortName }: WorkspacePackage) => {
    const at = ORDER.indexOf(shortName);
    return at === -1 ? ORDER.length : at;
  };
  return place(a) - place(b);
}

async function section(source: WorkspacePackage): Promise<string> {
  const types = await optionTypes(source);
  const shown = types.filter(({ options }) => options.length > 0);
  if (shown.length === 0) return "";
  return `## ${source.manifest.name}\n\n${shown.map(table).join("\n")}`;
}

function table({ name, text, options }: OptionType): string {
  const rows = options.map((option) => `| \`${option.name}\` | ${defaultOf(option)} | ${cell(option.text)} |`);
  const introduction = text === "" ? "" : `${text}\n\n`;
  return `### ${name}\n\n${introduction}| Option | Default | What it does |\n|---|---|---|\n${rows.join("\n")}\n`;
}

function defaultOf({ isRequired, defaultText }: Option): string {
  if (isRequired) return "required";
  return defaultText === undefined ? "-" : cell(defaultText);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
