/** Runs a script and compares, directive by directive. */
import { ScriptError } from "./arguments.ts";
import { type Directive, parseScript } from "./script.ts";

/** Carries out one directive and returns what it prints. One runner serves one script: it keeps the state in between. */
export type ScriptRunner = (directive: Directive) => string;

/** A directive that printed something else than expected. */
export interface Mismatch {
  readonly directive: Directive;
  readonly actual: readonly string[];
}

export interface ScriptOutcome {
  readonly directives: number;
  readonly mismatches: readonly Mismatch[];
}

/** Runs all of `text`. An exception of the runner is a mismatch too; the directives after it are run all the same. */
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

/** A mistake in the script by its words alone, for a script may be about that very mistake. */
function describeFailure(error: unknown): string {
  if (error instanceof ScriptError) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
