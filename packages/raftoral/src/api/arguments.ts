/**
 * Arguments of calls, checked where they enter. Callers without types get the same answer from every implementation, before anything is sent or
 * started. The rules that a foreign client could bypass are enforced again where commands are applied.
 *
 * Role: plain checks. Everything wrong throws and names the argument; nothing is converted or guessed, because a wrong id or timeout that passes does
 * harm later (an empty id would start another run at each repeat).
 */
import type { NodeId } from "@raftoral/raft-core";
import {
  escapedName,
  ID_POLICIES,
  type IdPolicy,
  type QueryDefinition,
  type SignalDefinition,
  type StandardSchemaV1,
  type TraceContext,
  traceContextOf,
  type UpdateDefinition,
  type VariableDefinition,
  WorkflowError,
} from "@raftoral/workflow";
import type { CallLimit, CallOptions, ReadOptions } from "./call-options.ts";
import { NodeError } from "./errors.ts";
import { EVENT_TYPES, type EventOptions, type EventRequest } from "./events.ts";
import type { PageOptions } from "./pages.ts";
import type { StreamOptions } from "./streams.ts";
import type { TokenFailure } from "./tokens.ts";
import type { WithStartOptions } from "./updates/updates.ts";
import type { VariableOptions } from "./variables.ts";
import type { PageRequest } from "./workflows-port.ts";

/** Longest id of a run, in UTF-16 units. */
export const MAX_RUN_ID_LENGTH = 512;
/** Longest name of a signal, in UTF-16 units. */
export const MAX_SIGNAL_NAME_LENGTH = 200;
/** Longest id of a signal, in UTF-16 units. */
export const MAX_SIGNAL_ID_LENGTH = 512;
/** Longest id of an update, in UTF-16 units. */
export const MAX_UPDATE_ID_LENGTH = 200;
/** Longest name of a variable with the names of its scopes, in UTF-16 units. */
export const MAX_VARIABLE_NAME_LENGTH = 4 * 1024;
/** Longest id of a token, in UTF-16 units. */
export const MAX_TOKEN_LENGTH = 16 * 1024;
/** Longest reason of a cancellation, in UTF-16 units. */
export const MAX_REASON_LENGTH = 8 * 1024;
/** Most entries of a page. */
export const MAX_PAGE_SIZE = 1000;
/** Entries of a page where the caller names no number. */
export const DEFAULT_PAGE_SIZE = 100;

/** Some 30,000 years. */
const MAX_RUN_TIMEOUT_MS = 10 ** 15;
/** Longest type of a workflow, in UTF-16 units. */
export const MAX_TYPE_LENGTH = 200;
const MAX_PAGE_TOKEN_LENGTH = 1024;
const BACKUP_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const MAX_VERSION = 2 ** 32 - 1;

/** Limits of a call; `defaultTimeoutMs` where none is given. Throws REQUEST_INVALID. */
export function limitArgument(options: CallOptions | undefined, defaultTimeoutMs: number): CallLimit {
  const { timeoutMs, signal } = optionsArgument(options);
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw invalid("signal", signal, "an AbortSignal");
  return { timeoutMs: timeoutArgument(timeoutMs, defaultTimeoutMs), signal };
}

/** Limits of a read, as {@link limitArgument}. Throws REQUEST_INVALID. */
export function readLimitArgument(options: ReadOptions | undefined, defaultTimeoutMs: number): CallLimit {
  const { consistency = "linearizable" } = optionsArgument(options);
  if (consistency !== "linearizable" && consistency !== "stale")
    throw invalid("consistency", consistency, '"linearizable" or "stale"');
  return { ...limitArgument(options, defaultTimeoutMs), isStale: consistency === "stale" };
}

/** An object of options, which may be left out. Throws REQUEST_INVALID. */
export function optionsArgument<T extends object>(options: T | undefined): Partial<T> {
  if (options === undefined) return {};
  if (typeof options !== "object" || options === null) throw invalid("options", options, "an object, or left out");
  return options;
}

/** Milliseconds, `fallback` when not given; Infinity is one. Throws REQUEST_INVALID for what is no length of time. */
export function timeoutArgument(timeoutMs: unknown, fallback: number): number {
  if (timeoutMs === undefined) return fallback;
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
    throw invalid("timeoutMs", timeoutMs, "a number of milliseconds from 0");
  }
  return timeoutMs;
}

/** How long a run may take, in milliseconds; undefined without a limit. Throws REQUEST_INVALID. */
export function runTimeoutArgument(runTimeoutMs: unknown): number | undefined {
  if (runTimeoutMs === undefined) return undefined;
  if (typeof runTimeoutMs === "number" && runTimeoutMs > 0 && runTimeoutMs <= MAX_RUN_TIMEOUT_MS)
    return Math.ceil(runTimeoutMs);
  throw invalid("runTimeoutMs", runTimeoutMs, "a number of milliseconds above 0, or left out for no limit");
}

/**
 * The place in a trace that a run belongs to: `active` where the caller says nothing, none for `false`, and none where `traceparent` is not well-formed, because it
 * often comes from a stranger's request. Throws REQUEST_INVALID for what is no pair of headers.
 */
export function traceArgument(trace: unknown, active: () => TraceContext | undefined): TraceContext | undefined {
  if (trace === undefined) return active();
  if (trace === false) return undefined;
  const { traceparent, tracestate } = (typeof trace === "object" && trace !== null ? trace : {}) as Partial<
    Record<keyof TraceContext, unknown>
  >;
  if (typeof traceparent === "string" && (tracestate === undefined || typeof tracestate === "string"))
    return traceContextOf(traceparent, tracestate);
  throw invalid("trace", trace, "the headers traceparent and tracestate as texts, false for none, or left out");
}

/** Throws WORKFLOW_ID_INVALID. */
export function runIdArgument(runId: unknown): string {
  const problem = textProblem(runId, MAX_RUN_ID_LENGTH);
  if (problem === undefined) return runId as string;
  throw new WorkflowError(
    "WORKFLOW_ID_INVALID",
    `A run id is text of 1 to ${MAX_RUN_ID_LENGTH} characters without lone surrogates; this one ${problem}. Use another id.`,
  );
}

/** A signal by its name or by its definition. The name is not checked. */
export function signalArgument(signal: unknown): {
  readonly name: unknown;
  readonly schema: StandardSchemaV1 | undefined;
} {
  if (typeof signal !== "object" || signal === null) return { name: signal, schema: undefined };
  const { name, schema } = signal as Partial<SignalDefinition>;
  return { name, schema };
}

/** Throws NAME_INVALID. */
export function signalNameArgument(name: unknown): string {
  const problem = textProblem(name, MAX_SIGNAL_NAME_LENGTH);
  if (problem === undefined) return name as string;
  throw new WorkflowError(
    "NAME_INVALID",
    `The name of a signal is text of 1 to ${MAX_SIGNAL_NAME_LENGTH} characters without lone surrogates; this one ${problem}. Use the name that the workflow waits for.`,
  );
}

/** The name of a query, from its definition or as it is. Throws NAME_INVALID. */
export function queryNameArgument(query: unknown): string {
  const name = typeof query === "object" && query !== null ? (query as Partial<QueryDefinition>).name : query;
  const problem = textProblem(name, MAX_SIGNAL_NAME_LENGTH);
  if (problem === undefined) return name as string;
  throw new WorkflowError(
    "NAME_INVALID",
    `The name of a query is text of 1 to ${MAX_SIGNAL_NAME_LENGTH} characters without lone surrogates; this one ${problem}. Use the name that the workflow answers.`,
  );
}

/** The name and the input's schema of an update, from its definition or its name. Throws NAME_INVALID. */
export function updateArgument(update: unknown): {
  readonly name: string;
  readonly schema: StandardSchemaV1 | undefined;
} {
  const isDefinition = typeof update === "object" && update !== null;
  const { name, input: schema } = (isDefinition ? update : { name: update }) as Partial<UpdateDefinition>;
  const problem = textProblem(name, MAX_SIGNAL_NAME_LENGTH);
  if (problem === undefined) return { name: name as string, schema };
  throw new WorkflowError(
    "NAME_INVALID",
    `The name of an update is text of 1 to ${MAX_SIGNAL_NAME_LENGTH} characters without lone surrogates; this one ${problem}. Use the name that the workflow handles.`,
  );
}

/** Undefined when not given. Throws REQUEST_INVALID. */
export function updateIdArgument(id: unknown): string | undefined {
  if (id === undefined || textProblem(id, MAX_UPDATE_ID_LENGTH) === undefined) return id as string | undefined;
  throw invalid("id", id, `text of 1 to ${MAX_UPDATE_ID_LENGTH} characters, or left out`);
}

/** Whether a run that has ended is followed by another one. Throws REQUEST_INVALID. */
export function afterEndArgument(options: WithStartOptions | undefined): boolean {
  const { ifFinished = "refuse", dedupeKey } = optionsArgument(options);
  // The message is for the run that is named.
  if (dedupeKey !== undefined)
    throw invalid("dedupeKey", dedupeKey, "left out: the run's id says which run gets the message");
  if (ifFinished === "refuse" || ifFinished === "start") return ifFinished === "start";
  throw invalid("ifFinished", ifFinished, "refuse or start, or left out");
}

/** Throws NAME_INVALID. */
export function streamNameArgument(name: unknown): string {
  const problem = textProblem(name, MAX_SIGNAL_NAME_LENGTH);
  if (problem === undefined) return name as string;
  throw new WorkflowError(
    "NAME_INVALID",
    `The name of a stream is text of 1 to ${MAX_SIGNAL_NAME_LENGTH} characters without lone surrogates; this one ${problem}. Use the name that the workflow writes to.`,
  );
}

/**
 * The name of a variable as the state has it, from a definition and the scope, or from a text that names scopes and variable. Throws NAME_INVALID or
 * REQUEST_INVALID.
 */
export function variableNameArgument(variable: unknown, options: VariableOptions | undefined): string {
  const { scope } = optionsArgument(options);
  if (scope !== undefined && textProblem(scope, MAX_VARIABLE_NAME_LENGTH) !== undefined)
    throw invalid("scope", scope, "the names of scopes, as in ship or map/3, or left out");
  const isDefinition = typeof variable === "object" && variable !== null;
  const named = isDefinition ? (variable as Partial<VariableDefinition>).name : variable;
  const problem = textProblem(named, MAX_VARIABLE_NAME_LENGTH);
  if (problem === undefined) {
    const name = isDefinition ? escapedName(named as string) : (named as string);
    return scope === undefined ? name : `${scope}/${name}`;
  }
  throw new WorkflowError(
    "NAME_INVALID",
    `The name of a variable is text of 1 to ${MAX_VARIABLE_NAME_LENGTH} characters without lone surrogates; this one ${problem}. Use the name that the workflow gives it, after the names of its scopes.`,
  );
}

/** Which chunks are asked for. Throws REQUEST_INVALID. */
export function chunksArgument(options: StreamOptions | undefined): {
  readonly from: number | undefined;
  readonly follow: boolean;
} {
  const { from, follow = true } = optionsArgument(options);
  if (from !== undefined && !(Number.isSafeInteger(from) && from >= 0))
    throw invalid("from", from, "a whole number from 0");
  if (typeof follow !== "boolean") throw invalid("follow", follow, "true or false");
  return { from, follow };
}

/** Which events are asked for, and from where. Throws REQUEST_INVALID. */
export function eventsArgument(options: EventOptions | undefined): EventRequest {
  const { types, runId, workflowType, after, from = "now", values = false, follow = true } = optionsArgument(options);
  if (types !== undefined && !(Array.isArray(types) && types.every((type) => EVENT_TYPES.includes(type))))
    throw invalid("types", types, `a list of some of ${EVENT_TYPES.join(", ")}`);
  if (workflowType !== undefined && textProblem(workflowType, MAX_TYPE_LENGTH) !== undefined)
    throw invalid("workflowType", workflowType, `text of 1 to ${MAX_TYPE_LENGTH} characters`);
  if (after !== undefined && textProblem(after, MAX_PAGE_TOKEN_LENGTH) !== undefined) throw positionInvalid();
  if (from !== "now" && from !== "oldest") throw invalid("from", from, '"oldest" or "now"');
  if (typeof values !== "boolean") throw invalid("values", values, "true or false");
  if (typeof follow !== "boolean") throw invalid("follow", follow, "true or false");
  const of = runId === undefined ? {} : { runId: runIdArgument(runId) };
  const filter = { ...(types === undefined ? {} : { types }), ...(workflowType === undefined ? {} : { workflowType }) };
  return { ...filter, ...of, after, from, values, follow };
}

/** The failure of a position that no event has. */
export function positionInvalid(): NodeError {
  return new NodeError(
    "REQUEST_INVALID",
    "Argument after is not the position of an event; it must be one that an event had, or left out.",
    { details: { argument: "after" } },
  );
}

/** Undefined when not given. Throws REQUEST_INVALID. */
export function signalIdArgument(signalId: unknown): string | undefined {
  if (signalId === undefined || textProblem(signalId, MAX_SIGNAL_ID_LENGTH) === undefined) {
    return signalId as string | undefined;
  }
  throw invalid("signalId", signalId, `text of 1 to ${MAX_SIGNAL_ID_LENGTH} characters, or left out`);
}

/** Throws REQUEST_INVALID for what cannot be a token. */
export function tokenArgument(token: unknown): string {
  if (textProblem(token, MAX_TOKEN_LENGTH) === undefined) return token as string;
  throw invalid("token", token, "the id of a token, as the run gave it out");
}

/** What a token is to fail with. Throws REQUEST_INVALID. */
export function failureArgument(failure: unknown): TokenFailure & { readonly name: string } {
  const { name, message, code, sealed } =
    typeof failure === "string" ? { message: failure } : optionsArgument(failure as Partial<TokenFailure> | undefined);
  const given = { name: name ?? "Error", message, ...(code === undefined ? {} : { code: String(code) }) };
  for (const [field, text] of Object.entries(given)) {
    if (typeof text !== "string" || text.length > MAX_REASON_LENGTH || !text.isWellFormed())
      throw invalid(
        `failure.${field}`,
        text,
        `text of at most ${MAX_REASON_LENGTH} characters without lone surrogates`,
      );
  }
  const named = { ...given, message: given.message as string };
  if (sealed === undefined) return named;
  if (typeof sealed !== "string" || !BASE64.test(sealed))
    throw invalid("failure.sealed", sealed, "base64, or left out");
  return { ...named, sealed };
}

/** What is done with a run that has the id of a start. Throws REQUEST_INVALID. */
export function idPolicyArgument(policy: unknown): IdPolicy {
  if (policy === undefined) return "use-existing";
  if (ID_POLICIES.includes(policy as IdPolicy)) return policy as IdPolicy;
  throw invalid("idPolicy", policy, `one of ${ID_POLICIES.join(", ")}, or left out`);
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Undefined when not given. Throws REQUEST_INVALID. */
export function startIdArgument(startId: unknown): string | undefined {
  if (startId === undefined || textProblem(startId, MAX_SIGNAL_ID_LENGTH) === undefined) {
    return startId as string | undefined;
  }
  throw invalid("startId", startId, `text of 1 to ${MAX_SIGNAL_ID_LENGTH} characters, or left out`);
}

/** `fallback` when not given. Throws REQUEST_INVALID. */
export function reasonArgument(reason: unknown, fallback: string): string {
  if (reason === undefined) return fallback;
  if (typeof reason === "string" && reason.length <= MAX_REASON_LENGTH && reason.isWellFormed()) return reason;
  throw invalid("reason", reason, `text of at most ${MAX_REASON_LENGTH} characters without lone surrogates`);
}

/** Type and version that a start names. `version` is undefined for the newest one. Throws REQUEST_INVALID. */
export function workflowArgument(
  workflow: unknown,
  pinned: unknown,
): { readonly type: string; readonly version: number | undefined } {
  const named = typeof workflow === "object" && workflow !== null ? workflow : { type: workflow };
  const { type, version: own } = named as { readonly type?: unknown; readonly version?: unknown };
  if (textProblem(type, MAX_TYPE_LENGTH) !== undefined) {
    throw invalid(
      "workflow",
      workflow,
      `a workflow's definition, or its type: text of 1 to ${MAX_TYPE_LENGTH} characters`,
    );
  }
  const version = pinned ?? own;
  if (version === undefined || isVersion(version)) return { type: type as string, version };
  throw invalid("version", version, "a whole number from 1, or left out for the newest");
}

/** Throws REQUEST_INVALID for what cannot be a node's id. */
export function nodeIdArgument(nodeId: unknown): NodeId {
  if (typeof nodeId === "number" && Number.isSafeInteger(nodeId) && nodeId >= 1) return nodeId;
  throw invalid("nodeId", nodeId, "a whole number from 1");
}

/** The name of a backup: a folder's name and no path, because a client must not write where it likes. Throws REQUEST_INVALID. */
export function backupNameArgument(name: unknown): string {
  if (typeof name === "string" && BACKUP_NAME.test(name)) return name;
  throw invalid(
    "name",
    name,
    "letters, digits, dots, dashes and underscores, 128 at most, beginning with a letter or digit, and not a path",
  );
}

/** Throws REQUEST_INVALID for a size out of range, and for a token that no node can have given. */
export function pageArgument(options: PageOptions | undefined): PageRequest {
  const { pageSize = DEFAULT_PAGE_SIZE, pageToken } = optionsArgument(options);
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE) {
    throw invalid("pageSize", pageSize, `a whole number from 1 to ${MAX_PAGE_SIZE}`);
  }
  if (pageToken !== undefined && textProblem(pageToken, MAX_PAGE_TOKEN_LENGTH) !== undefined) {
    throw pageTokenInvalid();
  }
  return { pageSize, pageToken };
}

/** The failure of a page token that no node gave for this list. */
export function pageTokenInvalid(): NodeError {
  return new NodeError(
    "REQUEST_INVALID",
    "Argument pageToken is not one that a node gave for this list; it must be the nextPageToken of the page before, or left out for the first page.",
    { details: { argument: "pageToken" } },
  );
}

function isVersion(version: unknown): version is number {
  return typeof version === "number" && Number.isInteger(version) && version >= 1 && version <= MAX_VERSION;
}

/** What keeps a value from being text of 1 to `maxLength` characters: "is empty". Undefined when nothing does. */
export function textProblem(value: unknown, maxLength: number): string | undefined {
  if (typeof value !== "string") return `is ${shown(value)}`;
  if (value.length === 0) return "is empty";
  if (value.length > maxLength) return `has ${value.length}`;
  return value.isWellFormed() ? undefined : "has a lone surrogate";
}

/** The failure of an argument that is not what it must be. */
export function invalid(argument: string, value: unknown, expected: string): NodeError {
  return new NodeError("REQUEST_INVALID", `Argument ${argument} is ${shown(value)}; it must be ${expected}.`, {
    details: { argument },
  });
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}...` : value);
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return typeof value === "function" ? "a function" : String(value);
}
