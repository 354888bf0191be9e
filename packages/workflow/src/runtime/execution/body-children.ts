/** What the children of one body share, made of what its execution has. */

import { CallSender } from "../calls/between/call-sender.ts";
import type { ChildSetting } from "../calls/child.ts";
import { ExternalRecords } from "../history/external-records.ts";
import { ChildRetries } from "../mending/child-retries.ts";
import { ChildCancels } from "./child-cancels.ts";
import type { ExecutionShared, ExecutionStart } from "./execution-shared.ts";
import type { RunReports } from "./run-reports.ts";

/** The children of one body, and what it asks of them. */
export interface BodyChildren {
  readonly setting: ChildSetting;
  readonly cancels: ChildCancels;
  /** Undefined unless the run was retried. */
  readonly retries: ChildRetries | undefined;
}

/** `goOn`: whether this node has the run still. `onLost`: the log says that it has not. */
export function bodyChildren(
  run: ExecutionStart,
  { clock, proposer, readRecord, readRun, isObject }: ExecutionShared,
  reports: RunReports,
  goOn: () => boolean,
  onLost: () => void,
): BodyChildren {
  const asks = { clock, proposer, goOn };
  const failed = (child: string, error: unknown): void => reports.childNotRetried(child, error);
  const cancels = new ChildCancels(asks);
  const retries = run.isRetried ? new ChildRetries({ ...asks, run, readRun, failed }) : undefined;
  const externals = new ExternalRecords(run.history, (path) => readRecord(run.runId, path));
  const calls = new CallSender({ proposer, holds: goOn, onLost, isObject });
  return { setting: { run, externals, cancel: cancels.ask, calls, retry: retries?.ask }, cancels, retries };
}
