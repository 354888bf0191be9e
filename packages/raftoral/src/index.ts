// To run a node, and to write what it runs.

// Of the layers below, what their users meet.
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
  RunCheckpoint,
  RunDetails,
  RunEvent,
  RunFailure,
  RunFilter,
  RunState,
  RunSummary,
} from "./client/run-info.ts";
export { NodeError, type NodeErrorCode, RemoteError } from "./errors.ts";
export type { MetricsSettings, NodeSettings } from "./node/node-config.ts";
export type { NodeEvent } from "./node/node-events.ts";
// To replace a layer.
export type { WorkflowTransport } from "./node/node-network.ts";
export { MemoryNodeStorage, type NodeIdentity, type NodeStorage } from "./node/node-storage.ts";
export { type CallLimit, RaftoralNode, type RaftoralNodeOptions } from "./node/raftoral-node.ts";
