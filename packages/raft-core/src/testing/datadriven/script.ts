/**
 * Data-driven scripts: files of directives, each with its expected output.
 *
 *     # A comment.
 *     command key=value list=(1, 2)
 *     input, any number of lines
 *     ----
 *     expected output, up to a blank line
 */
import { type Argument, parseArguments, ScriptError } from "./arguments.ts";

/** One directive of a script. */
export interface Directive {
  readonly command: string;
  readonly args: readonly Argument[];
  /** Lines between the directive and `----`, joined with line feeds. */
  readonly input: string;
  /** Lines of expected output. */
  readonly expected: readonly string[];
  /** Line number of the command in the file, from 1. */
  readonly line: number;
  /** Line number of the first expected line in the file, from 1. */
  readonly expectedLine: number;
}

/** The directives of a script, in order. Throws a ScriptError that names the line. */
export function parseScript(text: string): Directive[] {
  const lines = text.split("\n");
  const directives: Directive[] = [];
  let at = 0;
  while (at < lines.length) {
    let command = (lines[at] ?? "").trim();
    const line = at + 1;
    at++;
    if (command === "" || command.startsWith("#")) continue;
    while (command.endsWith("\\") && at < lines.length) {
      command = `${command.slice(0, -1).trimEnd()} ${(lines[at] ?? "").trim()}`;
      at++;
    }
    const input: string[] = [];
    while (at < lines.length && lines[at] !== "----") input.push(lines[at++] as string);
    if (at === lines.length) throw new ScriptError(`line ${line}: ${command} is not followed by a line ----`);
    at++;
    const expectedLine = at + 1;
    const expected: string[] = [];
    while (at < lines.length && lines[at] !== "") expected.push(lines[at++] as string);
    const [name = ""] = command.split(/\s/, 1);
    const args = parseArguments(command.slice(name.length));
    directives.push({ command: name, args, input: input.join("\n"), expected, line, expectedLine });
  }
  return directives;
}
