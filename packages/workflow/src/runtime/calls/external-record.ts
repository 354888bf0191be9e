/**
 * Waits for a record that somebody else than the run's owner writes: the end of a child.
 *
 * ER1. The answer has its turn by the record's place in the log, like every other one (answers.ts Q1). A replay gives it at the same place.
 * ER2. The wait takes no slot, and a wait whose branch is cancelled consumes nothing.
 */
import type { HistoryRecord, RecordKind } from "../../model/record.ts";
import type { ExternalRecords } from "../execution/external-records.ts";
import { never } from "../execution/history.ts";
import type { CallSite } from "./call-site.ts";

/** The record at `path`, once somebody has written it. `kind` names the call. To be used within {@link CallSite.call}. */
export async function externalRecord(
  site: CallSite,
  externals: ExternalRecords,
  { path, kind }: { readonly path: string; readonly kind: RecordKind },
): Promise<HistoryRecord> {
  const { interception, interruption, answers } = site.body.parts;
  const found = externals.recorded(path);
  interception?.callBegins(path, kind, found !== undefined);
  const answered = (record: HistoryRecord): HistoryRecord | Promise<HistoryRecord> => {
    if (interruption.isOver) return never();
    interception?.callAnswered(path, kind, found !== undefined);
    return record;
  };
  if (found !== undefined) {
    await site.recorded(found.position);
    return answered(found);
  }
  const ready = site.ready(path, kind);
  if (ready !== undefined) await ready;
  const record = await site.fresh(path, async () => {
    const position = externals.arrival(path);
    if (position === undefined) await site.park(() => arrival(site, externals, path));
    else answers.committed(path, position);
    return externals.read(path);
  });
  return answered(record);
}

function arrival(site: CallSite, externals: ExternalRecords, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopListening = externals.listen(path, () => {
      stopWaiting();
      resolve();
    });
    const stopWaiting = site.branch.onStop((reason) => {
      stopListening();
      if (!site.body.parts.interruption.isOver) reject(reason);
    });
  });
}
