/**
 * Arguments of calls, checked where they enter: the types say what is right, and callers without types get the same answer
 * from a node and from a client, before anything is sent or started.
 *
 * Role: plain checks. Everything wrong is a rejection that names the argument; nothing is converted or guessed, for a wrong id or
 * timeout that passes does harm later (an empty id would start another run at each repeat).
 */
import type { NodeId } from "@raftoral/raft-core";
import { WorkflowError } from "@raftoral/workflow";
import { RUN_STATUSES, type RunFilter } from "./client/run-info.ts";
import { NodeError } from "./errors.ts";

const MAX_RUN_ID_LENGTH = 512;
const MAX_VERSION = 2 ** 32 - 1;
/** The longest timer there is: 24 days. Whoever gives more (Infinity included) means "as long as it takes". */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Milliseconds, `fallback` when not given, 24 days at most. Throws REQUEST_INVALID for what is no length of time. */
export function timeoutArgument(timeoutMs: unknown, fallback: number): number {
  if (timeoutMs === undefined) return fallback;
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 0)) {
    throw invalid("timeoutMs", timeoutMs, "a number of milliseconds from 0");
  }
  return Math.min(timeoutMs, MAX_TIMEOUT_MS);
}

/** Throws WORKFLOW_ID_INVALID. */
export function runIdArgument(id: unknown): string {
  if (typeof id === "string" && id.length > 0 && id.length <= MAX_RUN_ID_LENGTH && id.isWellFormed()) return id;
  const problem =
    typeof id === "string" ? (id.isWellFormed() ? `has ${id.length}` : "is no valid Unicode") : `is ${shown(id)}`;
  throw new WorkflowError(
    "WORKFLOW_ID_INVALID",
    `A run's id is a text of 1 to ${MAX_RUN_ID_LENGTH} characters, this one ${problem}`,
  );
}

/** Type and version that a start names; undefined for the newest version. Throws REQUEST_INVALID. */
export function workflowArgument(
  workflow: unknown,
  version: unknown,
): { readonly type: string; readonly version: number | undefined } {
  const named = typeof workflow === "object" && workflow !== null ? workflow : { type: workflow };
  const { type, version: own } = named as { readonly type?: unknown; readonly version?: unknown };
  if (typeof type !== "string" || type === "")
    throw invalid("workflow", workflow, "a workflow's definition or its type");
  const wanted = version ?? own;
  if (wanted === undefined) return { type, version: undefined };
  if (typeof wanted === "number" && Number.isInteger(wanted) && wanted >= 1 && wanted <= MAX_VERSION) {
    return { type, version: wanted };
  }
  throw invalid("version", wanted, "a whole number from 1, or nothing for the newest");
}

/** Throws REQUEST_INVALID for what cannot be a node's id. */
export function nodeIdArgument(nodeId: unknown): NodeId {
  if (typeof nodeId === "number" && Number.isSafeInteger(nodeId) && nodeId >= 1) return nodeId;
  throw invalid("nodeId", nodeId, "a whole number from 1");
}

/** Throws REQUEST_INVALID for a state that no run has. */
export function filterArgument(filter: RunFilter): RunFilter {
  if (filter.status !== undefined && !RUN_STATUSES.includes(filter.status)) {
    throw invalid("state", filter.status, `one of ${RUN_STATUSES.join(", ")}`);
  }
  return filter;
}

function invalid(argument: string, value: unknown, expected: string): NodeError {
  return new NodeError("REQUEST_INVALID", `${argument} is ${shown(value)}; it must be ${expected}.`, {
    details: { argument },
  });
}

function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}...` : value);
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
