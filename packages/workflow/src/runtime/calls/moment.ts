/** A moment that a wait ends at, recorded, so that a later owner knows it. */
import { decodeValue, encodeValue } from "../../author/json-value.ts";
import type { HistoryRecord, RecordKind } from "../../model/record.ts";
import type { CallSite } from "./call-site.ts";

/** The run's time `delayMs` after this was asked for the first time, in milliseconds since the epoch. */
export function moment(site: CallSite, path: string, kind: RecordKind, delayMs: number): Promise<number> {
  const record = (): Promise<HistoryRecord> => {
    const atMs = site.history.time.nowMs() + delayMs;
    return site.record(path, kind, encodeValue(atMs, path, site.maxPayloadBytes));
  };
  return site.once({
    path,
    kind,
    record: () => site.whenRecordable(() => site.activity.work(record)),
    answer: (found) => Number(decodeValue(found.value, path)),
  });
}
