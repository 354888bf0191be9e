/** Runs a script and compares the output of each directive. */
import { ScriptError } from "./arguments.ts";
import { type Directive, parseScript } from "./script.ts";

/** Carries out one directive and returns its output. One runner serves one script and keeps its state. */
export type ScriptRunner = (directive: Directive) => string;

/** A directive whose output differs from the expected one. */
export interface Mismatch {
  readonly directive: Directive;
  readonly actual: readonly string[];
}

/** The result of a script: the number of its directives, and those that failed. */
export interface ScriptOutcome {
  readonly directives: number;
  readonly mismatches: readonly Mismatch[];
}

/** Runs all directives of `text`. An exception of the runner counts as a mismatch, and the next directives still run. Throws ScriptError for a bad script. */
export function runScript(text: string, runner: ScriptRunner): ScriptOutcome {
  const directives = parseScript(text);
  const mismatches: Mismatch[] = [];
  for (const directive of directives) {
    const actual = run(directive, runner);
    if (actual.join("\n") !== directive.expected.join("\n")) mismatches.push({ directive, actual });
  }
  return { directives: directives.length, mismatches };
}

function run(directive: Directive, runner: ScriptRunner): readonly string[] {
  let printed: string;
  try {
    printed = runner(directive);
  } catch (error) {
    printed = describeFailure(error);
  }
  const text = printed.endsWith("\n") ? printed.slice(0, -1) : printed;
  return (text === "" ? "ok" : text).split("\n");
}

/** The text of an error. A ScriptError is printed without its name, because a script may expect it. */
function describeFailure(error: unknown): string {
  if (error instanceof ScriptError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
