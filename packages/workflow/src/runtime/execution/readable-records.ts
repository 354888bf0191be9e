/**
 * Records that come to a body while it runs, decoded (payloads/readable-run.ts).
 *
 * RC1. A record that is not encoded is given at once.
 * RC2. One that this node cannot decode is no error of the body's call: the run is held for a node that can, and the call never settles.
 * RC3. A codec that says it can later, and a blob that is not here yet, are asked for again, for as long as the run is this node's.
 */
import type { Clock, Logger } from "@raftoral/raft-core";
import { NonDeterminismError } from "../../author/errors/errors.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { PayloadCoder } from "../../payloads/payload-coder.ts";
import { readableRecord, UnreadableValue } from "../../payloads/readable-run.ts";
import { isRecordEncoded } from "../../payloads/record-values.ts";
import { never } from "../history/history.ts";

/** Gives a record as a body takes it. */
export type ReadableRecord = (path: string, record: HistoryRecord) => HistoryRecord | Promise<HistoryRecord>;

/** What records are made readable with. */
export interface ReadableSetting {
  readonly runId: string;
  readonly payloads: PayloadCoder;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether this node has the run still. */
  readonly goOn: () => boolean;
  /** Holds the run. */
  readonly hold: (error: NonDeterminismError) => void;
}

/** Codes of failures that pass (RC3). */
const LATER: ReadonlySet<unknown> = new Set(["PAYLOAD_CODEC_FAILED", "BLOB_UNAVAILABLE"]);
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/** The way of one body to its records (RC1 to RC3). */
export function readableRecords(setting: ReadableSetting): ReadableRecord {
  return (path, record) => (isRecordEncoded(record) ? decoded(setting, path, record) : record);
}

async function decoded(setting: ReadableSetting, path: string, record: HistoryRecord): Promise<HistoryRecord> {
  const { payloads, hold } = setting;
  try {
    return await untilDecoded(setting, async () => readableRecord(payloads, path, record));
  } catch (error) {
    if (!(error instanceof UnreadableValue)) throw error;
    hold(unreadable(error));
    return never();
  }
}

/** What holds a run whose value cannot be decoded. */
export function unreadable({ mismatch: { path, expected, recorded } }: UnreadableValue): NonDeterminismError {
  return new NonDeterminismError(path, { expected, recorded });
}

/** What `decode` gives once its codec can (RC3); never settles once the run is another's. */
export async function untilDecoded<T>(
  { runId, clock, logger, goOn }: Pick<ReadableSetting, "runId" | "clock" | "logger" | "goOn">,
  decode: () => Promise<T>,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    try {
      return await decode();
    } catch (error) {
      if (!LATER.has((error as { code?: unknown }).code)) throw error;
      logger.warn({ runId, err: error, pauseMs }, "A value cannot be read now; its run waits for it.");
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
      if (!goOn()) return never();
    }
  }
}
