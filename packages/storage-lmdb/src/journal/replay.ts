/**
 * Brings LMDB up to date when a folder is opened: what the journal holds beyond LMDB's mark goes into LMDB.
 *
 * The whole journal is read and judged before anything is changed: a damaged one is refused as it was found.
 */
import type { Logger } from "@raftoral/raft-core";
import type { Database } from "lmdb";
import { CollectedTransaction } from "../commit/collected-transaction.ts";
import { corrupt } from "../errors.ts";
import { MARK_KEY } from "../format/keys.ts";
import type { Journal } from "./journal.ts";
import { examineEnd } from "./journal-end.ts";
import { encodeMark } from "./mark.ts";
import { RecordReader } from "./record-reader.ts";
import { takeSlice } from "./slices.ts";

/** Throws StorageError STORAGE_CORRUPT. Afterwards the journal is where the next generation begins. */
export async function replay(journal: Journal, database: Database<Buffer, Buffer>, logger?: Logger): Promise<void> {
  const start = journal.position;
  const judge = new RecordReader(journal, start);
  while ((await judge.next()) !== undefined);
  const end = judge.position;
  const torn = await examineEnd(journal, end);
  if (torn !== undefined) {
    logger?.warn(
      { ...torn },
      "the journal ends with a record that was never acknowledged, half-written; it is dropped",
    );
  }
  const reader = new RecordReader(journal, start);
  while (reader.position.sequence < end.sequence) {
    const at = reader.position;
    const transaction = new CollectedTransaction();
    const result = await takeSlice(reader, end.sequence, transaction);
    if (result === "ended" || result === "damaged") {
      throw corrupt({ file: journal.path, record: `journal record ${at.sequence}` }, "its content makes no sense");
    }
    transaction.put(MARK_KEY, encodeMark(MARK_KEY, journal.markAt(reader.position)));
    await transaction.commit(database);
  }
  const records = end.sequence - start.sequence;
  if (records > 0) logger?.info({ records, file: journal.path }, "the journal's records are in LMDB");
  journal.beginAnew(end);
}
