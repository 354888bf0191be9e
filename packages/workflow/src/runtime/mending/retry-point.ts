/**
 * Where a run that failed is to go on unless somebody names the place: before the failure that ended it.
 *
 * RP1. The end of a run names what led to it, cause by cause. The first of its causes that is the recorded failure of a step, a child, a token or a call of another run is where the run goes back
 *      to; so a failure that the body had caught and gone on from stays.
 * RP2. A body that threw something else goes on from all that is recorded. The same code then throws again: what helps is code that does not.
 * RP3. Steps that have undone others since the failure would be forgotten, and what they undid would count as done. Such a run is retried from a step that somebody names.
 */

import { decodeValue } from "../../author/values/json-value.ts";
import { WorkflowError } from "../../errors.ts";
import type { RecordedError } from "../../model/failure.ts";
import type { HistoryRecord } from "../../model/record.ts";
import { resultPath } from "../../model/runs/parent.ts";
import type { RunView } from "../../state/runs/run-view.ts";

type Recorded = readonly [path: string, record: HistoryRecord];

/** A step in a shield of a saga (author/saga.ts). */
const UNDOING = /(?:^|\/)undo(?:#\d+)?\//;

/** The path of the first record that does not count any more; empty when all do (RP1, RP2). Throws RETRY_COMPENSATED (RP3). */
export function retryPoint(run: RunView): string {
  const { history, runId } = run;
  const failed =
    "outcome" in run && run.outcome.status === "failed" ? failureOf(history, run.outcome.error) : undefined;
  // A retried run is not cancelled any more.
  const heard = history.find(([, { kind }]) => kind === "cancellation");
  const first = earlier(failed, heard);
  if (first === undefined) return "";
  const [path, { position }] = first;
  const undone = history.filter(([at, record]) => record.position > position && UNDOING.test(at)).map(([at]) => at);
  if (undone.length === 0) return path;
  throw new WorkflowError(
    "RETRY_COMPENSATED",
    `Run ${runId} has undone steps since it failed or was cancelled: ${undone.slice(0, 5).join(", ")}. A retry would take what they undid for done. Name the step to go on from, the first one that was undone, or fork the run.`,
    { details: { runId, path, undone: undone.slice(0, 100) } },
  );
}

function earlier(a: Recorded | undefined, b: Recorded | undefined): Recorded | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a[1].position < b[1].position ? a : b;
}

/** RP1. */
function failureOf(history: readonly Recorded[], error: RecordedError): Recorded | undefined {
  const failures = history.filter(([, { kind }]) => FAILURES.has(kind)).toReversed();
  for (const cause of causesOf(error)) {
    const found = failures.find((failure) => isNamedBy(cause, failure, history));
    if (found !== undefined) return found;
  }
  return undefined;
}

const FAILURES: ReadonlySet<string> = new Set([
  "step-failed",
  "child-failed",
  "child-cancelled",
  "answer-failed",
  "answer-timeout",
  "variable-failed",
]);

/** Whether an error is the one that a record answers its call with. The errors' texts begin with the path of the call, or have the child's id. */
function isNamedBy(
  { name, message }: RecordedError,
  [path, { kind, value }]: Recorded,
  history: readonly Recorded[],
): boolean {
  switch (name) {
    case "StepFailedError":
      return kind === "step-failed" && message.startsWith(`Step ${path} `);
    case "VariableFailedError":
      return kind === "variable-failed" && message.includes(` ${path} `);
    case "ChildFailedError":
      return kind === "child-failed" && message.includes(childAt(history, path));
    case "ChildCancelledError":
      return kind === "child-cancelled" && message.includes(childAt(history, path));
    case "TokenFailedError":
      return kind === "answer-failed" && message.includes(tokenOf(path));
    case "TokenExpiredError":
      return kind === "answer-timeout" && message.includes(tokenOf(path));
    case "UpdateFailedError":
      return kind === "answer-failed" && message.endsWith(`: ${failureText(value)}`);
    case "WorkflowError":
      return kind === "answer-failed" && message === failureText(value);
    default:
      return false;
  }
}

/** The id of the child whose end is recorded at a path. */
function childAt(history: readonly Recorded[], path: string): string {
  const start = history.find(([at, { kind }]) => kind === "child" && resultPath(at) === path);
  const child = start === undefined ? undefined : (decodeValue(start[1].value, path) as { readonly runId?: unknown });
  return typeof child?.runId === "string" ? ` ${child.runId} ` : ` ${path} `;
}

/** What a call of another run failed of, or why it was refused. */
function failureText(value: Uint8Array): string {
  const failure = decodeValue(value, "a failure") as { readonly message?: unknown } | null | undefined;
  return typeof failure?.message === "string" && failure.message !== "" ? failure.message : "without a text";
}

/** The path of the token whose answer is recorded at a path. */
function tokenOf(path: string): string {
  return ` ${path.slice(0, path.lastIndexOf("/"))} `;
}

/** An error and what led to it, the outermost first. */
function* causesOf(error: RecordedError): Generator<RecordedError> {
  yield error;
  if (error.cause !== undefined) yield* causesOf(error.cause);
  for (const one of error.errors ?? []) yield* causesOf(one);
}
