// Checks a data-driven script: every directive prints what the file says.

import { basename, dirname } from "node:path";
import {
  confChangeScript,
  type Directive,
  interactionScript,
  parseScript,
  quorumScript,
  runScript,
  type ScriptOutcome,
  type ScriptRunner,
} from "@raftoral/raft-core/testing";
import type { CheckResult } from "./check-file.ts";
import { unifiedDiff } from "./unified-diff.ts";

const RUNNERS: Readonly<Record<string, () => ScriptRunner>> = {
  quorum: quorumScript,
  confchange: confChangeScript,
  // The scripts of others were recorded with etcd/raft.
  interaction: () => interactionScript({ likeEtcd: true }),
};

const OWN_COMMANDS: readonly (readonly [kind: string, commands: readonly string[]])[] = [
  ["quorum", ["committed", "vote"]],
  ["confchange", ["simple", "enter-joint", "leave-joint"]],
];

/** Runs the script at `path` whose content is `text`. */
export function checkScript(path: string, text: string): CheckResult {
  const kind = kindOf(path, parseScript(text));
  const create = RUNNERS[kind] as () => ScriptRunner;
  const outcome = runScript(text, create());
  const lines = text.split("\n");
  return {
    checks: outcome.directives,
    failures: outcome.mismatches.length,
    problems: unifiedDiff({ expected: path, actual: "this implementation" }, lines, rewritten(lines, outcome)),
  };
}

/** A script's folder says what it is about; elsewhere its commands do. */
function kindOf(path: string, directives: readonly Directive[]): string {
  const folder = basename(dirname(path));
  if (RUNNERS[folder] !== undefined) return folder;
  const first = directives[0]?.command ?? "";
  return OWN_COMMANDS.find(([, commands]) => commands.includes(first))?.[0] ?? "interaction";
}

/** The script with what was printed in place of what was expected. */
function rewritten(lines: readonly string[], { mismatches }: ScriptOutcome): string[] {
  const result: string[] = [];
  let at = 0;
  for (const { directive, actual } of mismatches) {
    const start = directive.expectedLine - 1;
    result.push(...lines.slice(at, start), ...actual);
    at = start + directive.expected.length;
  }
  return [...result, ...lines.slice(at)];
}
