// To write workflows.

export {
  CancelledError,
  type Duration,
  type InputSchema,
  NonDeterminismError,
  RetryableError,
  type RetryPolicy,
  RunHandle,
  type RuntimeLimits,
  type StartOptions,
  type StepContext,
  StepFailedError,
  type StepOptions,
  StepTimeoutError,
  TerminalError,
  type Variable,
  WorkflowCancelledError,
  type WorkflowContext,
  type WorkflowDefinition,
  WorkflowError,
  WorkflowFailedError,
  type WorkflowOptions,
  workflow,
} from "@raftoral/workflow";

// To run a node.

export {
  type Cancel,
  type Clock,
  type Logger,
  type NodeAddress,
  type NodeId,
  type RaftLimits,
  RaftoralError,
  type RaftTiming,
} from "@raftoral/raft-core";
export type { PemSource, TlsOptions } from "@raftoral/transport-grpc";
export { NodeError, type NodeErrorCode, RemoteError } from "./errors.ts";
export type { MetricsSettings, NodeSettings } from "./node/config/node-config.ts";
export type { NodeEvent } from "./node/node-events.ts";
export { type CallLimit, RaftoralNode, type RaftoralNodeOptions } from "./node/raftoral-node.ts";

// To talk to a cluster from outside.

export { ClientRun } from "./client/client-run.ts";
export type { BackupSummary, MemberInfo, NodeRole, NodeStatus } from "./client/cluster-info.ts";
export {
  type ClientOptions,
  type ClientStartOptions,
  RaftoralClient,
  type Timed,
  type WorkflowName,
} from "./client/raftoral-client.ts";
export type {
  HistoryRecord,
  RunDetails,
  RunEvent,
  RunFailure,
  RunFilter,
  RunStatus,
  RunSummary,
} from "./client/run-info.ts";

// To replace a layer.

export type { WorkflowTransport } from "./node/membership/node-network.ts";
export { MemoryNodeStorage, type NodeIdentity, type NodeStorage } from "./node/storage/node-storage.ts";
