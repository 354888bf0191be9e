/** A moment that a wait ends at, recorded, so that a later owner knows it. */
import { decodeValue, encodeValue } from "../../author/values/json-value.ts";
import type { HistoryRecord, RecordKind } from "../../model/record.ts";
import type { CallSite } from "./call-site.ts";

/** What `at` gave when this was asked for the first time: milliseconds since the epoch. */
export function moment(site: CallSite, path: string, kind: RecordKind, at: () => number): Promise<number> {
  const record = (): HistoryRecord | Promise<HistoryRecord> =>
    site.record(path, kind, encodeValue(at(), path, site.maxPayloadBytes));
  return site.once({
    path,
    kind,
    record: () => site.whenRecordable(() => site.work(record)),
    answer: (found) => Number(decodeValue(found.value, path)),
  });
}
