/**
 * Runs and records as bodies take them: decoded, or not at all.
 *
 * RR1. Nothing is decoded, and nothing awaited, where nothing is encoded.
 * RR2. A value that cannot be decoded names its place, for the run is held there.
 */
import type { WorkflowError } from "../errors.ts";
import { isEncoded } from "../model/payload-envelope.ts";
import { type HistoryRecord, INPUT_PATH } from "../model/record.ts";
import type { CodeMismatch } from "../model/runs/stuck-reason.ts";
import type { KnownProgress } from "../model/step-progress.ts";
import type { RunView } from "../state/runs/run-view.ts";
import type { PayloadCoder } from "./payload-coder.ts";
import { layerText } from "./payload-errors.ts";
import { decodedRecordValue, isRecordEncoded } from "./record-values.ts";
import { openedFailure } from "./sealed-failure.ts";

/** Records that are decoded at the same time. */
const AT_ONCE = 64;

type Placed = readonly [path: string, record: HistoryRecord];

/** A value of a run that this process cannot decode, and where it stands (RR2). */
export class UnreadableValue extends Error {
  override readonly name = "UnreadableValue";
  readonly path: string;
  override readonly cause: WorkflowError;

  constructor(path: string, cause: WorkflowError) {
    super(cause.message, { cause });
    this.path = path;
    this.cause = cause;
  }

  /** What the run is held for. */
  get mismatch(): CodeMismatch {
    const { codec = "", metadata = {} } = this.cause.details as { codec?: string; metadata?: Record<string, string> };
    const layer = codec === "" ? "of a codec that it does not name" : `of codec ${layerText({ codec, metadata })}`;
    return {
      path: this.path,
      expected: "a value that the payload codecs of its node can decode",
      recorded: `one ${layer}`,
    };
  }
}

/** The run with its values decoded; the run itself when none is encoded (RR1). Rejects with {@link UnreadableValue}, or with PAYLOAD_CODEC_FAILED. */
export function readableRun(coder: PayloadCoder, run: RunView): RunView | Promise<RunView> {
  return isRunEncoded(run) ? decodedRun(coder, run) : run;
}

/** The record with its value decoded; the record itself when it is not encoded. Rejects as {@link readableRun} does. */
export function readableRecord(
  coder: PayloadCoder,
  path: string,
  record: HistoryRecord,
): HistoryRecord | Promise<HistoryRecord> {
  return isRecordEncoded(record) ? decodedRecord(coder, path, record) : record;
}

function isRunEncoded({ input, history, progress, ...run }: RunView): boolean {
  if (isEncoded(input) || history.some(([, record]) => isRecordEncoded(record))) return true;
  if (progress.some(({ details, error }) => isEncoded(details) || error?.sealed !== undefined)) return true;
  return run.status === "failed" && run.outcome.status === "failed" && run.outcome.error.sealed !== undefined;
}

async function decodedRun(coder: PayloadCoder, run: RunView): Promise<RunView> {
  const input = await placed(INPUT_PATH, () => coder.decode(run.input, `the input of run ${run.runId}`));
  const history: Placed[] = [];
  for (let at = 0; at < run.history.length; at += AT_ONCE) {
    const some = run.history.slice(at, at + AT_ONCE).map(async ([path, record]): Promise<Placed> => {
      return [path, await readableRecord(coder, path, record)];
    });
    history.push(...(await Promise.all(some)));
  }
  const progress = await Promise.all(run.progress.map((step) => decodedProgress(coder, step)));
  const decoded = { ...run, input, history, progress };
  if (!("outcome" in decoded) || decoded.outcome.status !== "failed") return decoded;
  const { outcome, runId } = decoded;
  const error = await placed("its end", () => openedFailure(coder, outcome.error, `the end of run ${runId}`));
  return { ...decoded, outcome: { ...outcome, error } };
}

async function decodedRecord(coder: PayloadCoder, path: string, record: HistoryRecord): Promise<HistoryRecord> {
  const { kind, value } = record;
  return { ...record, value: await placed(path, () => decodedRecordValue(coder, { path, kind, value })) };
}

async function decodedProgress(coder: PayloadCoder, step: KnownProgress): Promise<KnownProgress> {
  const { path, details, error } = step;
  return placed(path, async () => {
    return {
      ...step,
      details: await coder.decode(details, `the heartbeat of step ${path}`),
      ...(error === undefined ? {} : { error: await openedFailure(coder, error, `step ${path}`) }),
    };
  });
}

/** RR2. */
async function placed<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if ((error as { code?: unknown }).code !== "PAYLOAD_UNREADABLE") throw error;
    throw new UnreadableValue(path, error as WorkflowError);
  }
}
