/** Arguments that several commands share. */
import type { NodeId } from "../../types.ts";
import { type Argument, parseWhole, ScriptError } from "../datadriven/arguments.ts";
import type { Directive } from "../datadriven/script.ts";

/** The arguments without values, as node ids. Throws ScriptError for one that is no whole number. */
export function nodeIds({ args }: Directive): NodeId[] {
  return args.filter((argument) => argument.values === undefined).map((argument) => parseWhole(argument.key));
}

/** The key of the argument at `position`. Throws ScriptError when there are fewer arguments. */
export function bareAt({ command, args }: Directive, position: number): string {
  const argument = args[position];
  if (argument === undefined) throw new ScriptError(`${command} needs ${position + 1} arguments`);
  return argument.key;
}

/** The first argument, as a node id. Throws ScriptError when it is missing or no whole number. */
export function firstNodeId(directive: Directive): NodeId {
  return parseWhole(bareAt(directive, 0));
}

/** The argument named `key`. Throws ScriptError when it is missing. */
export function named({ command, args }: Directive, key: string): Argument {
  const argument = args.find((candidate) => candidate.key === key);
  if (argument === undefined) throw new ScriptError(`${command} needs ${key}=`);
  return argument;
}

/** The arguments with values. */
export function withValues({ args }: Directive): Argument[] {
  return args.filter((argument) => argument.values !== undefined);
}
