// To replicate workflows with a Raft group of one's own.
export type { CheckpointRecord, CommandResult, Refused } from "./command/command-result.ts";
export { decodeCommand } from "./command/decode-command.ts";
export { encodeCommand } from "./command/encode-command.ts";
export type {
  CheckpointKind,
  Epoch,
  RecordedError,
  RunOutcome,
  TypeVersion,
  WorkflowCommand,
} from "./command/workflow-command.ts";
export { type RefusalCode, WorkflowError, type WorkflowErrorCode } from "./errors.ts";
export { WorkflowExecutor, type WorkflowExecutorOptions } from "./executor.ts";
export {
  RaftWorkflowEngine,
  type RaftWorkflowEngineOptions,
  type WorkflowGroup,
} from "./runtime/raft-workflow-engine.ts";
export type {
  EngineListener,
  EngineNotice,
  EngineOverview,
  ProposeOptions,
  WorkflowEngine,
} from "./runtime/workflow-engine.ts";
export type { NodeStatus } from "./state/node-table.ts";
export type { OwnerReason } from "./state/run-record.ts";
export type {
  FinishedSummary,
  NodeView,
  RunningSummary,
  RunPage,
  RunQuery,
  RunStatus,
  RunSummary,
  RunView,
} from "./state/run-view.ts";
export type { WorkflowEvent } from "./state/workflow-event.ts";
export type { StateSize } from "./state/workflow-state.ts";
