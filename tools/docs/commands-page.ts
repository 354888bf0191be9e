// docs/commands.md, written from the registry of commands (`npm run fix`); a test compares.

import { join } from "node:path";
import { COMMANDS } from "../../packages/workflow/src/commands/registry.ts";
import { root } from "../process.ts";

/** Where the page is. */
export const COMMANDS_PAGE = join(root, "docs/commands.md");

const INTRODUCTION = `# Commands

Everything that can be done to the replicated workflow state. Each command is one file in a folder of \`packages/workflow/src/commands/\` and one line in
\`registry.ts\` there; the bytes are those of \`raftoral.WorkflowCommand\` in \`proto/raftoral/\`. \`npm run fix\` writes this page from the registry.

A command may be applied twice without harm. Applying one changes at most as many runs as the last column says, whatever the state holds; what is
left over is in the state, and the leader proposes the next piece.

| Command | Field | What it does | Fields | Runs at most |
|---|---|---|---|---|
`;

/** The whole page. */
export function commandsPage(): string {
  const rows = COMMANDS.toSorted((a, b) => a.field - b.field).map(({ kind, field, summary, maxRuns, codec }) => {
    const fields = (codec.fields ?? []).map(([property, { number }]) => `\`${property}\` ${number}`).join(", ");
    return `| ${kind} | ${field} | ${summary} | ${fields} | ${maxRuns.toLocaleString("en")} |`;
  });
  return `${INTRODUCTION}${rows.join("\n")}\n`;
}
