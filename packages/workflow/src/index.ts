// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

// To keep large values beside the log.

export { hashOfParts } from "./blobs/blob-bytes.ts";
export type { BlobCounts } from "./blobs/blob-counts.ts";
export type { BlobNames } from "./blobs/blob-names.ts";
export {
  type BlobGroup,
  type BlobLimits,
  Blobs,
  type BlobsOptions,
  DEFAULT_BLOB_LIMITS,
} from "./blobs/blobs.ts";
export type { BlobBounds, BlobVault } from "./payloads/blob-vault.ts";

// To write workflows.

export type { AbortOptions } from "./author/abort-options.ts";
export type { ChildArguments, ChildHandle, ChildOptions, ChildType, ChildWorkflow } from "./author/child.ts";
export {
  type AuthorErrorCode,
  type AuthorErrorOptions,
  BranchCancelledError,
  CancelledError,
  ChildCancelledError,
  ChildFailedError,
  CompensationFailedError,
  type ContextMisuse,
  ContextMisuseError,
  NonDeterminismError,
  RetryableError,
  ScopeTimeoutError,
  StepFailedError,
  StepTimeoutError,
  type StepTimeoutKind,
  TerminalError,
  VariableFailedError,
  WorkflowCancelledError,
  WorkflowFailedError,
} from "./author/errors/errors.ts";
export { TokenExpiredError, TokenFailedError } from "./author/errors/token-errors.ts";
export { UpdateFailedError } from "./author/errors/update-errors.ts";
export {
  exclusive,
  type HandlerMode,
  type HandlerSchemas,
  type ObjectHandler,
  shared,
} from "./author/objects/handlers.ts";
export {
  isObjectDefinition,
  type ObjectDefinition,
  type ObjectHandlers,
  type ObjectOptions,
  object,
} from "./author/objects/object.ts";
export type { ExclusiveContext, ObjectState, SharedContext } from "./author/objects/object-context.ts";
export { objectKey, objectRunId } from "./author/objects/object-id.ts";
export {
  DELETE_UPDATE,
  type DelayedCall,
  OBJECT_RECORD,
  type ObjectRecord,
  RENEW_UPDATE,
  SEND_UPDATE,
} from "./author/objects/object-record.ts";
export { notAnObjectText, notAWorkflowText } from "./author/objects/object-texts.ts";
export type {
  HandlerAnswer,
  HandlerGiven,
  HandlerName,
  ObjectType,
  StateOf,
  TypedHandler,
  TypedObject,
} from "./author/objects/typed-object.ts";
export { type QueryAnswer, type QueryDefinition, type QueryInput, query } from "./author/query.ts";
export type { CalledObject, RunCallArguments, RunCallOptions } from "./author/run-calls.ts";
export { type Saga, type SagaOptions, type SagaStepOptions, saga } from "./author/saga.ts";
export { type SignalDefinition, type SignalPayload, signal } from "./author/signal.ts";
export { escapedName } from "./author/step-path.ts";
export { type StreamDefinition, type StreamValue, type StreamWriter, stream } from "./author/stream.ts";
export {
  type UpdateDefinition,
  type UpdateHandlerOptions,
  type UpdateInput,
  type UpdateResult,
  type UpdateSchemas,
  update,
} from "./author/update.ts";
export { type Duration, durationMs, momentMs } from "./author/values/duration.ts";
export { assertPayloadSize, decodeValue, encodeValue } from "./author/values/json-value.ts";
export type { NotRecordable, Recordable, Recorded, Unchanged } from "./author/values/recorded.ts";
export {
  chunkOf,
  inputOf,
  type SchemaSubject,
  type StandardSchemaV1,
  signalOf,
  updateInputOf,
  validated,
} from "./author/values/schema.ts";
export { type VariableDefinition, type VariableValue, variable } from "./author/variable.ts";
export {
  type NoSchema,
  type WorkflowDefinition,
  type WorkflowOptions,
  WorkflowRegistry,
  workflow,
} from "./author/workflow.ts";
export type {
  ConditionOptions,
  MapOptions,
  RaceBranches,
  RaceResult,
  RetryPolicy,
  ScopeOptions,
  ShieldOptions,
  SleepOptions,
  StepContext,
  StepOptions,
  Token,
  TokenOptions,
  Variable,
  WaitOptions,
  WaitResult,
  WorkflowContext,
} from "./author/workflow-context.ts";
export type { WorkflowLog, WriteLine } from "./author/workflow-log.ts";
export type { TypedWorkflow, WorkflowInput, WorkflowResult } from "./author/workflow-types.ts";
export { type RefusalCode, runNotFoundText, WorkflowError, type WorkflowErrorCode } from "./errors.ts";
export { shownUpdateName } from "./model/update.ts";
export { refusalIn } from "./runtime/handlers/update-record.ts";

// To run and observe them.

export {
  type AttributeUpdates,
  type AttributeValue,
  type AttributeValues,
  attributesInvalid,
  attributeValues,
  givenValue,
  type Moment,
  storedAttributes,
  storedValue,
} from "./author/attributes.ts";
export type { BulkAction, MendedRun } from "./commands/operators/mend-runs.ts";
export {
  BINARY_CONTENT_TYPE,
  blobIn,
  digestIn,
  type EnvelopeHeader,
  isBinary,
  isEncoded,
  JSON_CONTENT_TYPE,
  type PayloadEnvelope,
  type PayloadLayer,
  readEnvelope,
  writeEnvelope,
} from "./model/payload-envelope.ts";
export type { EndedRunName } from "./model/runs/ended-run-name.ts";
export type { OwnerReason } from "./model/runs/ownership.ts";
export type { BehaviourLevel } from "./model/runs/run-needs.ts";
export {
  MAX_QUEUE_MS,
  MAX_QUEUE_NAME_LENGTH,
  PRIORITY_ZERO,
  type QueueLimits,
  type RunQueue,
} from "./model/runs/run-queue.ts";
export type { CodeMismatch, StuckReason } from "./model/runs/stuck-reason.ts";
export { encodeVariableChange, SET_VARIABLE } from "./model/set-variable.ts";
export { type TraceContext, traceContextOf } from "./model/trace-context.ts";
export type { NodeStatus } from "./nodes/node-record.ts";
export { valueDigest } from "./payloads/canonical-json.ts";
export type {
  DecodeContext,
  EncodeContext,
  EncodedPayload,
  PayloadCodec,
  PayloadCodecs,
  PayloadKind,
} from "./payloads/payload-codec.ts";
export { MAX_ENCODING_OVERHEAD_BYTES, PayloadCoder, type ValueContext } from "./payloads/payload-coder.ts";
export { payloadUnreadable } from "./payloads/payload-errors.ts";
export { decodedRecordValue, encodedRecordValue } from "./payloads/record-values.ts";
export { openedFailure, SEALED_MESSAGE, sealedFailure, shownFailure } from "./payloads/sealed-failure.ts";
export { type BulkMend, bulkCommand } from "./requests/bulk-mending.ts";
export {
  type EventBounds,
  EventFeed,
  type EventPosition,
  type FeedEvent,
  type FeedPage,
  type PlacedEvent,
} from "./requests/event-feed.ts";
export { type LockAction, type LockAsked, type LockLeader, LockRequests } from "./requests/lock-requests.ts";
export type { MendAction, RunFork, RunMend, RunOperation } from "./requests/mending.ts";
export type { OperatorRequest, QueueAction } from "./requests/queue-requests.ts";
export type { RequestLimit } from "./requests/request-limit.ts";
export { runMissing, runNotFound } from "./requests/run-missing.ts";
export {
  type MessageStart,
  RunRequests,
  type RunSignal,
  type RunStart,
  type RunUpdate,
  type RunUpdateEnd,
} from "./requests/run-requests.ts";
export { BEHAVIOUR_LEVEL, BEHAVIOURS, type Behaviour } from "./runtime/behaviours.ts";
export type { PendingCall, PendingKind } from "./runtime/body/pending-calls.ts";
export { idempotencyKey, type KeyedRun } from "./runtime/calls/steps/idempotency-key.ts";
export { type RetentionRule, timedRules } from "./runtime/retention.ts";
export type {
  BehavioursMissing,
  BodyStarted,
  ForeignAwait,
  HistoryLarge,
  LocalEvent,
  RecordsUnused,
  RuntimeEvent,
  StepAttemptFailed,
  StepsUnfinished,
} from "./runtime/runtime-event.ts";
export type { RuntimeEvents, RuntimeObserver } from "./runtime/runtime-events.ts";
export type {
  InterceptedBody,
  InterceptedCall,
  InterceptedStep,
  RuntimeInterceptor,
} from "./runtime/runtime-interceptor.ts";
export { DEFAULT_RUNTIME_LIMITS, type RuntimeLimits, type WorkflowRuntimeOptions } from "./runtime/runtime-options.ts";
export type { RuntimeProbe, ScheduleFired } from "./runtime/runtime-probe.ts";
export { WorkflowRuntime } from "./runtime/workflow-runtime.ts";
export { blobNamedByKey } from "./state/blobs/blob-references.ts";
export type { HistoryPage, HistoryQuery } from "./state/history/history-pages.ts";
export type { RecordedVariable, VariablePage, VariableQuery } from "./state/history/latest-variables.ts";
export { checkIndex, type IndexCheck, rebuildIndex } from "./state/lists/check-index.ts";
export type { RunCount } from "./state/lists/run-counters.ts";
export type {
  AttributeCondition,
  ComparedValue,
  RunConditions,
  RunPage,
  RunQuery,
  RunSort,
  TimeRange,
  ValueBound,
} from "./state/lists/run-query.ts";
export type { RunStatus } from "./state/lists/run-status.ts";
export type { AuditEntry, AuditPage, AuditQuery } from "./state/operators/audit-log.ts";
export type { PausedType } from "./state/operators/paused-types.ts";
export type {
  ChildView,
  DelayedSummary,
  FinishedSummary,
  NodeView,
  PausedSummary,
  QueuedSummary,
  RunEnd,
  RunningSummary,
  RunSummary,
  RunView,
  StuckSummary,
} from "./state/runs/run-view.ts";
export type { RunsToHandOver } from "./state/runs/runs-to-hand-over.ts";
export type { Tombstone } from "./state/runs/tombstones.ts";
export type { ScheduleView } from "./state/schedules/schedule-table.ts";
export type { StateSize } from "./state/state-size.ts";
export type { OwnedStream, RecordedChunk, StreamPage, StreamQuery } from "./state/streams/stream-view.ts";
export type { WorkflowEvent } from "./state/workflow-event.ts";

// To replicate workflows with a Raft group of one's own.

export { LockTimeoutError } from "./author/errors/lock-errors.ts";
export type { BodyLock, LimitOptions, LimitRate, LockOptions } from "./author/lock.ts";
export { type GivenUniqueQueue, MAX_PRIORITY, runQueue } from "./author/run-queue.ts";
export { decodeCommand, encodeCommand } from "./commands/command-codec.ts";
export type { Refused } from "./commands/refusal.ts";
export type { CommandResult, WorkflowCommand } from "./commands/registry.ts";
export type { OccurrenceOutcome } from "./commands/schedules/occurrences.ts";
export { WorkflowExecutor, type WorkflowExecutorOptions } from "./executor.ts";
export {
  type Attribute,
  type Attributes,
  attributeNameProblem,
  attributeProblem,
  type DateAttribute,
  decodeAttributes,
  decodeChanges,
  encodeAttributes,
  NO_ATTRIBUTES,
} from "./model/attributes.ts";
export type { RecordedError } from "./model/failure.ts";
export {
  isLimiter,
  type LockLimits,
  MAX_LEASE_MS,
  MAX_LOCK_NAME_LENGTH,
  MAX_LOCK_VALUE_LENGTH,
  MAX_PERMITS,
} from "./model/lock.ts";
export { type HistoryRecord, isExternal, type RecordKind } from "./model/record.ts";
export { ID_POLICIES, type IdPolicy, type StartDecision, startDecision } from "./model/runs/id-policy.ts";
export type { Epoch } from "./model/runs/ownership.ts";
export type { KnownParent, ParentClosePolicy } from "./model/runs/parent.ts";
export type { RunOutcome } from "./model/runs/run-outcome.ts";
export {
  MAX_SCHEDULE_ID_LENGTH,
  type Occurrence,
  OVERLAP_POLICIES,
  type OverlapPolicy,
  type ScheduleSettings,
} from "./model/schedule.ts";
export type { KnownProgress, StepProgress } from "./model/step-progress.ts";
export type { TypeVersion } from "./model/type-version.ts";
export { ScheduleRequests, scheduleNotFound } from "./requests/schedule-requests.ts";
export {
  RaftWorkflowEngine,
  type RaftWorkflowEngineOptions,
  type WorkflowGroup,
} from "./runtime/engine/raft-workflow-engine.ts";
export type {
  EngineListener,
  EngineNotice,
  EngineOverview,
  ProposeOptions,
  WorkflowEngine,
} from "./runtime/engine/workflow-engine.ts";
export { type CalendarFields, Timing, type TimingSpec } from "./runtime/schedules/timing.ts";
export type { LockAskView, LockQuery, LockView, RunLockView } from "./state/locks/lock-view.ts";
export type { QueueView, RunQueueView } from "./state/queues/queue-view.ts";
