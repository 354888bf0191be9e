/** What the children of one body share, made of what its execution has. */

import type { HistoryRecord } from "../../model/record.ts";
import { CallSender } from "../calls/between/call-sender.ts";
import type { ChildSetting } from "../calls/child.ts";
import { ExternalRecords } from "../history/external-records.ts";
import type { Ownership } from "../history/ownership.ts";
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

/** The children of a body, in the name of its ownership. */
export function bodyChildren(
  run: ExecutionStart,
  { clock, proposer, readRecord, readRun, readLocks, isObject }: ExecutionShared,
  reports: RunReports,
  { holds: goOn, onLost, readable }: Pick<Ownership, "holds" | "onLost" | "readable">,
): BodyChildren {
  const asks = { clock, proposer, goOn };
  const failed = (child: string, error: unknown): void => reports.childNotRetried(child, error);
  const cancels = new ChildCancels(asks);
  const retries = run.isRetried ? new ChildRetries({ ...asks, run, readRun, failed }) : undefined;
  const read = async (path: string): Promise<HistoryRecord | undefined> => {
    const record = await readRecord(run.runId, path);
    return record === undefined ? undefined : await readable(path, record);
  };
  const externals = new ExternalRecords(run.history, read);
  const calls = new CallSender({ proposer, holds: goOn, onLost, isObject });
  const locks = { isRetried: run.isRetried, heldLocks: () => readLocks(run.runId) };
  return { setting: { run, externals, ...locks, cancel: cancels.ask, calls, retry: retries?.ask }, cancels, retries };
}
