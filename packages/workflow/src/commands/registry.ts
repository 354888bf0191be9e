/** Every command there is, one line each. */
import { cancel } from "./cancel.ts";
import { checkpoint } from "./checkpoint.ts";
import { childEnded } from "./child-ended.ts";
import { closeChildren } from "./close-children.ts";
import type { CommandDefinition } from "./command.ts";
import { continueAsNew } from "./continue-as-new.ts";
import { hold } from "./hold.ts";
import { moveRuns } from "./move-runs.ts";
import { nodeDrain } from "./node-drain.ts";
import { nodeLost } from "./node-lost.ts";
import { nodeRegister } from "./node-register.ts";
import { ownerChange } from "./owner-change.ts";
import { prune } from "./prune.ts";
import { records } from "./records.ts";
import type { Refused } from "./refusal.ts";
import { resume } from "./resume.ts";
import { signal } from "./signal.ts";
import { signalReceive } from "./signal-receive.ts";
import { stepProgress } from "./step-progress.ts";
import { streamAppend } from "./stream-append.ts";
import { timeOut } from "./time-out.ts";
import { tokenAnswer } from "./token-answer.ts";
import { trial } from "./trial.ts";
import { workflowEnd } from "./workflow-end.ts";
import { workflowStart } from "./workflow-start.ts";

const DEFINITIONS = [
  workflowStart,
  workflowEnd,
  checkpoint,
  ownerChange,
  signal,
  signalReceive,
  cancel,
  nodeRegister,
  nodeLost,
  nodeDrain,
  moveRuns,
  hold,
  prune,
  records,
  stepProgress,
  trial,
  resume,
  streamAppend,
  tokenAnswer,
  childEnded,
  closeChildren,
  timeOut,
  continueAsNew,
] as const;

type Definition = (typeof DEFINITIONS)[number];

/** Any command. */
export type WorkflowCommand = Definition extends infer One
  ? One extends CommandDefinition<infer Command, unknown>
    ? Command
    : never
  : never;

/** What applying a command gives: to the proposer, and alike on every node. Structured-cloneable. */
export type CommandResult = Refused | Extract<ReturnType<Definition["apply"]>, { readonly ok: true }>;

/** A definition of which the kind is not known to the type checker. */
export type AnyDefinition = CommandDefinition<WorkflowCommand, CommandResult>;

/** All commands, in the order of the registry. */
export const COMMANDS: readonly AnyDefinition[] = DEFINITIONS as readonly unknown[] as readonly AnyDefinition[];

const byKind = new Map(COMMANDS.map((definition) => [definition.kind, definition]));
const byField: (AnyDefinition | undefined)[] = [];
for (const definition of COMMANDS) byField[definition.field] = definition;

/** The definition of a command. */
export function definitionOf(kind: WorkflowCommand["kind"]): AnyDefinition {
  // The type of WorkflowCommand is made of the definitions.
  return byKind.get(kind) as AnyDefinition;
}

/** The definition whose field of `raftoral.WorkflowCommand` has this number. */
export function definitionAt(field: number): AnyDefinition | undefined {
  return byField[field];
}
