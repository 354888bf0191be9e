/** Every command there is, one line each. */

import type { CommandDefinition } from "./command.ts";
import { checkpoint } from "./history/checkpoint.ts";
import { records } from "./history/records.ts";
import { signalReceive } from "./history/signal-receive.ts";
import { stepProgress } from "./history/step-progress.ts";
import { streamAppend } from "./history/stream-append.ts";
import { updateAnswer } from "./history/update-answer.ts";
import { lockAcquire } from "./locks/lock-acquire.ts";
import { lockDefine } from "./locks/lock-define.ts";
import { lockDelete } from "./locks/lock-delete.ts";
import { lockRelease } from "./locks/lock-release.ts";
import { lockRenew } from "./locks/lock-renew.ts";
import { locksDue } from "./locks/locks-due.ts";
import { edit } from "./mending/edit.ts";
import { fork } from "./mending/fork.ts";
import { pause } from "./mending/pause.ts";
import { retry } from "./mending/retry.ts";
import { terminate } from "./mending/terminate.ts";
import { callAnswered } from "./messages/call-answered.ts";
import { childEnded } from "./messages/child-ended.ts";
import { closeChildren } from "./messages/close-children.ts";
import { signal } from "./messages/signal.ts";
import { tokenAnswer } from "./messages/token-answer.ts";
import { update } from "./messages/update.ts";
import { nodeDrain } from "./nodes/node-drain.ts";
import { nodeLost } from "./nodes/node-lost.ts";
import { nodeRegister } from "./nodes/node-register.ts";
import { audit } from "./operators/audit.ts";
import { mendRuns } from "./operators/mend-runs.ts";
import { pauseType } from "./operators/pause-type.ts";
import { admitRuns } from "./queues/admit-runs.ts";
import { queueDefine } from "./queues/queue-define.ts";
import { queueDelete } from "./queues/queue-delete.ts";
import { queuePause } from "./queues/queue-pause.ts";
import type { Refused } from "./refusal.ts";
import { beginDue } from "./runs/begin-due.ts";
import { cancel } from "./runs/cancel.ts";
import { continueAsNew } from "./runs/continue-as-new.ts";
import { deleteRun } from "./runs/delete.ts";
import { handOver } from "./runs/hand-over.ts";
import { hold } from "./runs/hold.ts";
import { moveRuns } from "./runs/move-runs.ts";
import { ownerChange } from "./runs/owner-change.ts";
import { prune } from "./runs/prune.ts";
import { resume } from "./runs/resume.ts";
import { startWith } from "./runs/start-with.ts";
import { timeOut } from "./runs/time-out.ts";
import { trial } from "./runs/trial.ts";
import { workflowEnd } from "./runs/workflow-end.ts";
import { workflowStart } from "./runs/workflow-start.ts";
import { scheduleBackfill } from "./schedules/schedule-backfill.ts";
import { scheduleChange } from "./schedules/schedule-change.ts";
import { scheduleFire } from "./schedules/schedule-fire.ts";
import { scheduleSet } from "./schedules/schedule-set.ts";
import { scheduleTrigger } from "./schedules/schedule-trigger.ts";

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
  update,
  updateAnswer,
  startWith,
  terminate,
  pause,
  retry,
  fork,
  edit,
  deleteRun,
  handOver,
  pauseType,
  mendRuns,
  audit,
  callAnswered,
  beginDue,
  scheduleSet,
  scheduleFire,
  scheduleChange,
  scheduleTrigger,
  scheduleBackfill,
  queueDefine,
  queueDelete,
  admitRuns,
  queuePause,
  lockAcquire,
  lockRelease,
  lockRenew,
  locksDue,
  lockDefine,
  lockDelete,
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
