import type { CheckReport, Finding } from "@raftoral/check";
import type { Command } from "commander";
import { printJson } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { visible } from "../visible.ts";

interface CheckFlags {
  readonly json?: boolean;
}

const EXIT_FOUND = 1;
const EXIT_UNCHECKED = 2;

/** `raftoral check FILE...`: looks for what must not be in the bodies of workflows. Asks no node. */
export function addCheck(program: Command, io: CliIo, setExitCode: (code: number) => void): void {
  program
    .command("check")
    .summary("check workflow files without running them")
    .description(
      "Look for what must not be in the body of a workflow: clocks, random values, timers, input and output, calls that are " +
        "not awaited. Nothing is run. docs/workflow-check.md explains each rule. Exit code 1 when something is found, 2 when a " +
        "file cannot be checked.",
    )
    .argument("<file...>", "files with workflows: .ts, .tsx, .mts, .cts, .js, .jsx, .mjs, .cjs")
    .option("--json", "print JSON for programs")
    .addHelpText("after", "\nExamples:\n  $ raftoral check src/workflows/*.ts\n  $ raftoral check orders.ts --json")
    .action(async (files: readonly string[], flags: CheckFlags) => {
      // Nodes run from this program, too: only this command loads the parser.
      const { checkFiles } = await import("@raftoral/check");
      const report = checkFiles(files);
      if (flags.json === true) printJson(io, jsonOf(report));
      else {
        io.out(formatReport(report));
        for (const { code, message } of report.failures) io.err(`Error ${code}: ${visible(message)}\n`);
      }
      if (report.failures.length > 0) setExitCode(EXIT_UNCHECKED);
      else if (report.findings.length > 0) setExitCode(EXIT_FOUND);
    });
}

/** A line for each finding, and one that counts. */
export function formatReport(report: CheckReport): string {
  const { files, workflows, findings } = report;
  const notes = workflows
    .filter(({ checked }) => !checked)
    .map(({ path, line, column, type }) => {
      const name = type === undefined ? "a workflow" : `workflow ${JSON.stringify(type)}`;
      return `${path}:${line}:${column}  note  The body of ${name} is in no file that can be followed; it is not checked.`;
    });
  const counted = [
    counts(files.length, "file"),
    counts(workflows.length, "workflow"),
    counts(findings.length, "finding"),
  ];
  return [...findings.map(formatFinding), ...notes, counted.join(", ")].map((line) => `${visible(line)}\n`).join("");
}

function formatFinding({ path, line, column, rule, message, advice, calledFrom }: Finding): string {
  const from = calledFrom === undefined ? "" : ` (Called from ${calledFrom.path}:${calledFrom.line}.)`;
  return `${path}:${line}:${column}  ${rule}  ${message} ${advice}${from}`;
}

function counts(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

function jsonOf({ files, workflows, findings, failures }: CheckReport): unknown {
  return {
    files,
    workflows,
    findings,
    failures: failures.map(({ code, path, message, position }) => ({ code, path, message, ...position })),
  };
}
