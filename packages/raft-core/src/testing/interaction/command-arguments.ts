/** Arguments that several commands share. */
import type { NodeId } from "../../types.ts";
import { type Argument, parseWhole, ScriptError } from "../datadriven/arguments.ts";
import type { Directive } from "../datadriven/script.ts";

/** The bare arguments, as node ids; arguments with values are left out. */
export function nodeIds({ args }: Directive): NodeId[] {
  return args.filter((argument) => argument.values === undefined).map((argument) => parseWhole(argument.key));
}

/** The bare argument at `position`, as text. */
export function bareAt({ command, args }: Directive, position: number): string {
  const argument = args[position];
  if (argument === undefined) throw new ScriptError(`${command} needs ${position + 1} arguments`);
  return argument.key;
}

export function firstNodeId(directive: Directive): NodeId {
  return parseWhole(bareAt(directive, 0));
}

/** The argument called `key`. */
export function named({ command, args }: Directive, key: string): Argument {
  const argument = args.find((candidate) => candidate.key === key);
  if (argument === undefined) throw new ScriptError(`${command} needs ${key}=`);
  return argument;
}

/** Those with values, to be looked at one by one. */
export function withValues({ args }: Directive): Argument[] {
  return args.filter((argument) => argument.values !== undefined);
}
