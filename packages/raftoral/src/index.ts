// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

// To write workflows.

export {
  type AbortOptions,
  type AttributeUpdates,
  type AttributeValue,
  type AttributeValues,
  type BodyLock,
  BranchCancelledError,
  type CalledObject,
  CancelledError,
  type ChildArguments,
  ChildCancelledError,
  ChildFailedError,
  type ChildHandle,
  type ChildOptions,
  CompensationFailedError,
  type ConditionOptions,
  type DecodeContext,
  type Duration,
  type EncodeContext,
  type EncodedPayload,
  type ExclusiveContext,
  exclusive,
  type HandlerAnswer,
  type HandlerGiven,
  type HandlerMode,
  type HandlerName,
  type HandlerSchemas,
  type IdPolicy,
  type LimitOptions,
  type LockOptions,
  LockTimeoutError,
  type MapOptions,
  NonDeterminismError,
  type NotRecordable,
  type ObjectDefinition,
  type ObjectHandler,
  type ObjectHandlers,
  type ObjectOptions,
  type ObjectState,
  type ObjectType,
  object,
  type ParentClosePolicy,
  type PayloadCodec,
  type PayloadCodecs,
  type PayloadKind,
  type QueryAnswer,
  type QueryDefinition,
  type QueryInput,
  query,
  type RaceBranches,
  type RaceResult,
  type Recordable,
  type Recorded,
  type RecordedError,
  RetryableError,
  type RetryPolicy,
  type RunCallArguments,
  type RunCallOptions,
  type RuntimeLimits,
  type Saga,
  type SagaOptions,
  type SagaStepOptions,
  type ScopeOptions,
  ScopeTimeoutError,
  type SharedContext,
  type ShieldOptions,
  type SignalDefinition,
  type SignalPayload,
  type SleepOptions,
  type StandardSchemaV1,
  type StateOf,
  type StepContext,
  StepFailedError,
  type StepOptions,
  StepTimeoutError,
  type StepTimeoutKind,
  type StreamDefinition,
  type StreamValue,
  type StreamWriter,
  saga,
  shared,
  signal,
  stream,
  TerminalError,
  type Token,
  TokenExpiredError,
  TokenFailedError,
  type TokenOptions,
  type TraceContext,
  type Unchanged,
  type UpdateDefinition,
  UpdateFailedError,
  type UpdateHandlerOptions,
  type UpdateInput,
  type UpdateResult,
  type UpdateSchemas,
  update,
  type Variable,
  type VariableDefinition,
  type VariableValue,
  variable,
  type WaitOptions,
  type WaitResult,
  type WorkflowContext,
  type WorkflowDefinition,
  type WorkflowInput,
  type WorkflowLog,
  type WorkflowOptions,
  type WorkflowResult,
  type WriteLine,
  workflow,
} from "@raftoral/workflow";

// To start and observe runs, and to look after a cluster: on a node and from a client.

export type { CallOptions, Consistency, ReadOptions } from "./api/call-options.ts";
export type {
  BackupSummary,
  Cluster,
  ClusterOperationOptions,
  MemberInfo,
  NodeRole,
  NodeStatus,
  RetainedRuns,
} from "./api/cluster/cluster.ts";
export type {
  AttemptFailedEvent,
  CancelRequestedEvent,
  ClusterRunEvent,
  ClusterRunEventType,
  EventFilter,
  EventOptions,
  EventsMissedEvent,
  NodeChangedEvent,
  OperatorActedEvent,
  OwnerChangedEvent,
  PauseRequestedEvent,
  RecordCommittedEvent,
  RunContinuedEvent,
  RunEndedEvent,
  RunForkedEvent,
  RunRetriedEvent,
  RunStartedEvent,
  RunStuckEvent,
  RunsPrunedEvent,
  SignalBufferedEvent,
  StreamAppendedEvent,
  UpdateAcceptedEvent,
  UpdateAnsweredEvent,
} from "./api/events.ts";
export type {
  AttributeFilter,
  AttributeRange,
  ComparedAttribute,
  RunFilter,
  TimeFilter,
} from "./api/finding/filters.ts";
export type {
  ExportedOutcome,
  ExportedPayload,
  ExportedRecord,
  HistoryExport,
} from "./api/histories/history-format.ts";
export type {
  AcquireOptions,
  ElectOptions,
  GivenLockLimits,
  HeldLock,
  Leader,
  LockAsk,
  LockChangeOptions,
  LockFilter,
  LockInfo,
  LockLimits,
  LockOfRun,
  LockRate,
  Locks,
  TakeOptions,
} from "./api/locks/locks.ts";
export type { CancelOptions, ForkOptions, MendOptions, PauseOptions, RetryOptions } from "./api/mending/mending.ts";
export type {
  ObjectCallArguments,
  ObjectCallOptions,
  ObjectHandle,
  ObjectSendOptions,
  ObjectSummary,
} from "./api/objects/objects.ts";
export type {
  AuditEntry,
  AuditOptions,
  AuditPage,
  BulkAction,
  BulkOptions,
  BulkPiece,
  DeletedRun,
  MendedRun,
  Operations,
  PausedType,
} from "./api/operations/operations.ts";
export { type EncodedValue, Payload } from "./api/payloads/payload.ts";
export type {
  ChildRun,
  EndedRun,
  HistoryPage,
  HistoryRecord,
  PendingCall,
  RecordedFailure,
  RunCount,
  RunDescription,
  RunPage,
  RunStatus,
  RunSummary,
  StepInProgress,
} from "./api/runs.ts";
export type { StartOptions } from "./api/starts/start-options.ts";
export type { StreamChunk, StreamOptions } from "./api/streams.ts";
export type { TokenFailure } from "./api/tokens.ts";
export type {
  AcceptedUpdate,
  SignalWithStartOptions,
  UpdateArguments,
  UpdateOptions,
  UpdateWithStartOptions,
  WithStartOptions,
} from "./api/updates/updates.ts";
export type { RunVariable, VariableOptions, VariablePage } from "./api/variables.ts";
export type {
  PageOptions,
  QueryArguments,
  Run,
  SignalArguments,
  SignalOptions,
  StartArguments,
  VariablePageOptions,
  WorkflowName,
  Workflows,
  WorkflowType,
} from "./api/workflows.ts";
export type { ArchiveCall, ArchiveHook } from "./node/archiving/run-archiver.ts";

// To run a node.

export type { Cancel, Clock, Logger, NodeAddress, NodeId, RaftLimits, RaftTiming } from "@raftoral/raft-core";
export type { PemSource, TlsOptions } from "@raftoral/transport-grpc";
export type { MetricsSettings, NodeSettings } from "./node/config/node-config.ts";
export type { NodeEvent } from "./node/node-events.ts";
export { RaftoralNode, type RaftoralNodeOptions } from "./node/raftoral-node.ts";

// To talk to a cluster from outside.

export { type ClientOptions, RaftoralClient } from "./client/raftoral-client.ts";

// Errors: every class that is thrown, and every code.

export {
  RaftError,
  type RaftErrorCode,
  RaftoralError,
  TransportError,
  type TransportErrorCode,
} from "@raftoral/raft-core";
export { StorageError, type StorageErrorCode } from "@raftoral/storage-lmdb";
export {
  type AuthorErrorCode,
  WorkflowCancelledError,
  WorkflowError,
  type WorkflowErrorCode,
  WorkflowFailedError,
} from "@raftoral/workflow";
export { ERROR_CODES, type RaftoralErrorCode } from "./api/error-classes.ts";
export { NodeError, type NodeErrorCode } from "./api/errors.ts";

// To replace a layer.

export type { WorkflowTransport } from "./node/membership/node-network.ts";
export { MemoryNodeStorage, type NodeIdentity, type NodeStorage } from "./node/storage/node-storage.ts";
