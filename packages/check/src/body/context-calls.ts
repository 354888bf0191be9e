/**
 * The members of a WorkflowContext, and what the check has to know of each. A new member needs a line here; a test compares
 * the table with the interface.
 */

/** A method of the context. */
export interface ContextCall {
  /** Whether the call gives a promise that has to be awaited. */
  readonly isPromise: boolean;
  /** Index of the argument that names the record; undefined when no argument does. */
  readonly name?: number;
  /** Index of the options whose property `name` names the record. */
  readonly nameOption?: number;
  /** Index of a function that the call runs as a step: once recorded, the function does not run again. */
  readonly stepFunction?: number;
  /** Index of a function that the call runs as a part of the body, with a context of its own. */
  readonly scopeFunction?: number;
  /** Index of an object whose properties are functions that run as parts of the body, each with a context of its own. */
  readonly scopeFunctions?: number;
  /** Index of a function that the call runs as a part of the body, without a context. */
  readonly bodyFunction?: number;
  /** Index of a function that is called whenever its value is needed, and may call no context. */
  readonly pureFunction?: number;
}

/** Methods by name. */
export const CONTEXT_CALLS: ReadonlyMap<string, ContextCall> = new Map<string, ContextCall>([
  ["step", { isPromise: true, name: 0, stepFunction: 1 }],
  ["scope", { isPromise: true, name: 0, scopeFunction: 1 }],
  ["map", { isPromise: true, scopeFunction: 1 }],
  ["lock", { isPromise: true, name: 0, scopeFunction: 1 }],
  ["semaphore", { isPromise: true, name: 0, scopeFunction: 2 }],
  ["limit", { isPromise: true, name: 0 }],
  ["variable", { isPromise: true, name: 0, stepFunction: 1 }],
  ["race", { isPromise: true, scopeFunctions: 0 }],
  ["shield", { isPromise: true, nameOption: 1, scopeFunction: 0 }],
  ["condition", { isPromise: true, nameOption: 1, bodyFunction: 0 }],
  // Without a name, each sleep is the next one of its scope, and so are waits and times.
  ["sleep", { isPromise: true, nameOption: 1 }],
  ["sleepUntil", { isPromise: true, nameOption: 1 }],
  ["waitFor", { isPromise: true }],
  ["continueAsNew", { isPromise: true }],
  ["start", { isPromise: true }],
  ["run", { isPromise: true }],
  ["token", { isPromise: true, name: 0 }],
  ["onQuery", { isPromise: false, pureFunction: 1 }],
  ["update", { isPromise: true }],
  ["object", { isPromise: false }],
  ["onUpdate", { isPromise: false, scopeFunction: 1 }],
  ["on", { isPromise: false, scopeFunction: 1 }],
  ["now", { isPromise: true }],
  ["stream", { isPromise: false }],
  ["setAttributes", { isPromise: true }],
  ["patched", { isPromise: false }],
  ["random", { isPromise: false }],
  ["uuid", { isPromise: false }],
]);

/** The call of an object that a context has given, as if it were a method of the context. */
export const OBJECT_CALL = "object.call";

/** What the check knows of a method of a context, or of {@link OBJECT_CALL}. */
export function contextCall(method: string): ContextCall | undefined {
  return method === OBJECT_CALL ? { isPromise: true } : CONTEXT_CALLS.get(method);
}

/** The state of an object in the context of its handlers: a replicated variable. */
export const OBJECT_STATE = "state";

/** Members that are read and record nothing. */
export const CONTEXT_PROPERTIES: ReadonlySet<string> = new Set([
  "attempt",
  "attributes",
  "fencingToken",
  "historySize",
  "log",
  "nodeId",
  "runId",
  "signal",
  "traceContext",
  "version",
  "workflowType",
]);

/** Methods of a replicated variable that record a change; each gives a promise. */
export const VARIABLE_CHANGES: ReadonlyMap<string, Pick<ContextCall, "pureFunction">> = new Map([
  ["set", {}],
  ["update", { pureFunction: 0 }],
]);

/** Members of a replicated variable that are read and record nothing. */
export const VARIABLE_READS: ReadonlySet<string> = new Set(["get", "value"]);

/** Packages whose `workflow` and `WorkflowContext` are meant. */
export function isRaftoral(specifier: string): boolean {
  return /^(raftoral|@raftoral\/[\w-]+)(\/|$)/.test(specifier);
}
