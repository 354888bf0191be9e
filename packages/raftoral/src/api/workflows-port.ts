/**
 * What an implementation of {@link Workflows} has to do itself: carry checked requests to the state and answers back.
 *
 * Role: the border between what all implementations share (`checked-workflows.ts`: arguments, codecs, handles, aborts) and what differs (the
 * engine of a node, the network of a client). Payloads cross as they are; every call keeps `limit.timeoutMs` and lets go of everything when
 * `limit.signal` aborts.
 */
import type { Attributes, IdPolicy, RunConditions, RunQueue, RunSort, TraceContext } from "@raftoral/workflow";
import type { CallLimit } from "./call-options.ts";
import type { EventPage, EventRequest } from "./events.ts";
import type { LocksPort } from "./locks/locks-port.ts";
import type { AuditPage, PausedType } from "./operations/operations.ts";
import type { PageRequest } from "./pages.ts";
import type { Payload } from "./payloads/payload.ts";
import type { QueueInfo } from "./queues/queues.ts";
import type { EndedRun, HistoryPage, PendingCall, RunCount, RunDescription, RunPage } from "./runs.ts";
import type { StreamPage, StreamRequest } from "./streams.ts";
import type { AnswerRequest } from "./tokens.ts";
import type { UpdateEnd } from "./updates/updates.ts";
import type { VariablePage } from "./variables.ts";

export type { PageRequest } from "./pages.ts";

/** A checked start. */
export interface StartRequest {
  readonly runId: string;
  readonly workflowType: string;
  /** Undefined: the newest that any node has registered. */
  readonly version: number | undefined;
  /** Whether no other version will do, also for a run that exists. */
  readonly isPinned: boolean;
  /** Undefined: without a limit. */
  readonly runTimeoutMs: number | undefined;
  /** How long after the call it begins, in ms. Undefined: with the start, or at `startAtMs`. */
  readonly delayMs: number | undefined;
  /** When it begins, in ms since the epoch. */
  readonly startAtMs: number | undefined;
  readonly attributes: Attributes;
  readonly idPolicy: IdPolicy;
  /** Undefined where no policy needs one. */
  readonly startId: string | undefined;
  /** Undefined: the run belongs to no trace. */
  readonly trace: TraceContext | undefined;
  /** Undefined: the run waits in none. */
  readonly queue: RunQueue | undefined;
  readonly input: Payload;
  /** Whether the schema of the caller's own definition has taken the input: the registered one need not be asked. */
  readonly isValidated: boolean;
}

/** A filter that is checked (run-filter.ts FI1). */
export interface CheckedFilter extends RunConditions {
  readonly sort: RunSort;
  readonly isAscending: boolean;
}

/** A checked signal. */
export interface SignalRequest {
  readonly runId: string;
  readonly name: string;
  readonly payload: Payload;
  readonly signalId: string;
}

/** A checked query. */
export interface QueryRequest {
  readonly runId: string;
  readonly name: string;
  readonly input: Payload;
}

/** A checked update. */
export interface UpdateRequest {
  readonly runId: string;
  readonly name: string;
  readonly input: Payload;
  readonly updateId: string;
  /** Until when to wait. */
  readonly until: "accepted" | "completed";
}

/** A checked signal, and the start of its run if there is none. */
export interface SignalWithStartRequest {
  readonly start: StartRequest;
  /** Of the run that `start` names. */
  readonly signal: SignalRequest;
  /** Whether a run that has ended is followed by another one under its id. */
  readonly afterEnd: boolean;
}

/** A checked update, and the start of its run if there is none. */
export interface UpdateWithStartRequest {
  readonly start: StartRequest;
  /** Of the run that `start` names. */
  readonly update: UpdateRequest;
  /** Whether a run that has ended is followed by another one under its id. */
  readonly afterEnd: boolean;
  /** Whether the run is an object that is called: nothing is started for a type that is a workflow's. */
  readonly isObject: boolean;
}

/** The run of a start. */
export interface StartedRun {
  /** Another one than the start names where that has its dedupe key. */
  readonly runId: string;
  /** Whether this start made it. */
  readonly created: boolean;
}

/** Which entries of the audit are asked for. */
export interface AuditQuery {
  readonly subject: string | undefined;
  readonly by: string | undefined;
}

/** The calls that differ. Each rejects with a RaftoralError. */
export interface WorkflowsPort {
  readonly locks: LocksPort;
  start(request: StartRequest, limit: CallLimit): Promise<StartedRun>;
  describe(runId: string, limit: CallLimit): Promise<RunDescription>;
  list(filter: CheckedFilter, page: PageRequest, limit: CallLimit): Promise<RunPage>;
  counts(limit: CallLimit): Promise<readonly RunCount[]>;
  history(runId: string, page: PageRequest, limit: CallLimit): Promise<HistoryPage>;
  input(runId: string, limit: CallLimit): Promise<Payload>;
  /** `name`: of the only variable to read. */
  variables(runId: string, name: string | undefined, page: PageRequest, limit: CallLimit): Promise<VariablePage>;
  /** Ends with the stream or its run, or once it has given what is there. */
  stream(request: StreamRequest, limit: CallLimit): AsyncIterable<StreamPage>;
  /** The first page says where the read begins, and may have no events. Ends once everything that is there was given, unless it follows. */
  events(request: EventRequest, limit: CallLimit): AsyncIterable<EventPage>;
  /** Undefined when the run has not ended within `limit.timeoutMs`. */
  wait(runId: string, limit: CallLimit): Promise<EndedRun | undefined>;
  signal(request: SignalRequest, limit: CallLimit): Promise<void>;
  pending(runId: string, limit: CallLimit): Promise<readonly PendingCall[]>;
  /** The handler's answer. */
  query(request: QueryRequest, limit: CallLimit): Promise<Payload>;
  /** Undefined when the update is not that far within `limit.timeoutMs`. */
  update(request: UpdateRequest, limit: CallLimit): Promise<UpdateEnd | undefined>;
  /** Whether this start made the run. */
  signalWithStart(request: SignalWithStartRequest, limit: CallLimit): Promise<boolean>;
  /** As `update`. */
  updateWithStart(request: UpdateWithStartRequest, limit: CallLimit): Promise<UpdateEnd | undefined>;
  answer(request: AnswerRequest, limit: CallLimit): Promise<void>;
  /** All queues, or the one of this name. */
  queues(name: string | undefined, limit: CallLimit): Promise<readonly QueueInfo[]>;
  pausedTypes(limit: CallLimit): Promise<readonly PausedType[]>;
  audit(query: AuditQuery, page: PageRequest, limit: CallLimit): Promise<AuditPage>;
}
