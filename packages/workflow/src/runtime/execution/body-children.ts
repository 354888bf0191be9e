/** What the children of one body share, made of what its execution has. */
import type { ChildSetting } from "../calls/child.ts";
import { ExternalRecords } from "../history/external-records.ts";
import { childRetries } from "../mending/child-retries.ts";
import { childCancels } from "./child-cancels.ts";
import type { ExecutionShared, ExecutionStart } from "./execution-shared.ts";
import type { RunReports } from "./run-reports.ts";

/** `goOn`: whether this node has the run still. */
export function bodyChildren(
  run: ExecutionStart,
  { clock, proposer, readRecord, readRun }: ExecutionShared,
  reports: RunReports,
  goOn: () => boolean,
): ChildSetting {
  const asks = { clock, proposer, goOn };
  const failed = (child: string, error: unknown): void => reports.childNotRetried(child, error);
  return {
    run,
    externals: new ExternalRecords(run.history, (path) => readRecord(run.runId, path)),
    cancel: childCancels(asks),
    retry: run.isRetried ? childRetries({ ...asks, run, readRun, failed }) : undefined,
  };
}
