/** `ctx.now`: the run's time, recorded. */
import { decodeValue, encodeValue } from "../../author/values/json-value.ts";
import type { HistoryRecord } from "../../model/record.ts";
import type { CallSite } from "./call-site.ts";

/** Milliseconds since the epoch. Never less than what an earlier call of the run was given. */
export function now(site: CallSite, path: string): Promise<number> {
  const { history, maxPayloadBytes } = site;
  const record = (): HistoryRecord | Promise<HistoryRecord> =>
    site.record(path, "now", encodeValue(history.time.nowMs(), path, maxPayloadBytes));
  return site.once({
    path,
    kind: "now",
    record: () => site.whenRecordable(() => site.work(record)),
    answer: ({ value }) => {
      const atMs = Number(decodeValue(value, path));
      history.time.observe(atMs);
      return atMs;
    },
  });
}
