/** An engine without a cluster: commands are applied where they are proposed. For replays, which need no consensus. */
import { type CommandResult, RaftWorkflowEngine, type WorkflowCommand, WorkflowExecutor } from "@raftoral/workflow";

/** The node that a replay runs on. */
export const REPLAY_NODE = 1;

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
  const cluster = { propose: async (command: WorkflowCommand) => apply(command), readIndex: async () => index };
  return { engine: new RaftWorkflowEngine({ nodeId: REPLAY_NODE, executor, cluster }), apply };
}
