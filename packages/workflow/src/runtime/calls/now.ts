/** `ctx.now`: the time of its own record. */
import type { HistoryRecord } from "../../model/record.ts";
import type { CallSite } from "./call-site.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** Milliseconds since the epoch. */
export function now(site: CallSite, path: string): Promise<number> {
  const record = (): Promise<HistoryRecord> => site.history.record(path, "now", NOTHING);
  return site.once({
    path,
    kind: "now",
    record: () => site.activity.work(record),
    answer: ({ recordedAtMs }) => recordedAtMs,
  });
}
