// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

export { type AgentChunk, agentStream } from "./chunks/agent-chunk.ts";
export { type ReadChunk, uiMessageStream } from "./chunks/ui-message-chunks.ts";
export { type DurableOptions, type DurableParts, durable } from "./durable.ts";
export {
  AgentError,
  type AgentErrorCode,
  type RefusalReason,
  ToolCallRefusedError,
  ToolFailedError,
} from "./errors.ts";
export { completed, type StreamedResult } from "./sdk/completed.ts";
export type { AgentModel } from "./sdk/language-model.ts";
export type { ApprovalAnswer, ApprovalOptions, ApprovalRequest } from "./tools/approval.ts";
export type { Approvals, ToolSteps } from "./tools/recorded-tools.ts";
export { stepOf } from "./tools/tool-step.ts";
