/**
 * An engine without a cluster, for replays: it has the state that a history led to, and commits nothing of a body.
 *
 * LE1. What a body wants recorded, and its end, stay proposed for ever: the body comes to rest where the history ends, and nothing that is not
 *      recorded can answer it.
 */
import { type CommandResult, RaftWorkflowEngine, type WorkflowCommand, WorkflowExecutor } from "@raftoral/workflow";

/** The node that a replay runs on. */
export const REPLAY_NODE = 1;

/** What a body proposes (LE1). */
const OF_BODIES: ReadonlySet<WorkflowCommand["kind"]> = new Set([
  "Checkpoint",
  "Records",
  "SignalReceive",
  "StepProgress",
  "WorkflowEnd",
]);

function isOfBody(command: WorkflowCommand): boolean {
  // A child's start; that of the replayed run has no parent.
  return OF_BODIES.has(command.kind) || (command.kind === "WorkflowStart" && command.parent !== undefined);
}

/** The engine, and the way to apply a command at once. */
export function localEngine(): {
  readonly engine: RaftWorkflowEngine;
  readonly apply: (command: WorkflowCommand) => CommandResult;
} {
  const executor = new WorkflowExecutor();
  let index = 0;
  const apply = (command: WorkflowCommand): CommandResult => {
    index += 1;
    const [result] = executor.apply([{ index, term: 1, command }]) as readonly CommandResult[];
    if (result === undefined) throw new Error("A command gave no result. This is a bug of Raftoral.");
    return result;
  };
  const propose = (command: WorkflowCommand): Promise<CommandResult> =>
    isOfBody(command) ? new Promise(() => {}) : Promise.resolve().then(() => apply(command));
  const cluster = { propose, readIndex: async () => index };
  return { engine: new RaftWorkflowEngine({ nodeId: REPLAY_NODE, executor, cluster }), apply };
}
