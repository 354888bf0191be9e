/** Takes journal records over into LMDB transactions, a slice at a time: many small steps instead of one long one. */
import type { CollectedTransaction } from "../commit/collected-transaction.ts";
import { visitOperations } from "./operations.ts";
import type { RecordReader } from "./record-reader.ts";

/** A slice ends once it has this many operations: about a millisecond of the event loop. */
const OPERATIONS_PER_SLICE = 512;
/** A slice ends once it has this many bytes. */
const BYTES_PER_SLICE = 1024 * 1024;

/** "damaged": the content of a record that is whole makes no sense. "ended": there is no record before `end`. */
export type SliceResult = "more" | "done" | "ended" | "damaged";

/** Moves whole records before sequence number `end` into the transaction. */
export async function takeSlice(
  reader: RecordReader,
  end: number,
  transaction: CollectedTransaction,
): Promise<SliceResult> {
  let bytes = 0;
  while (reader.position.sequence < end) {
    if (transaction.size >= OPERATIONS_PER_SLICE || bytes >= BYTES_PER_SLICE) return "more";
    const record = await reader.next();
    if (record === undefined) return "ended";
    const { content } = record;
    const read = visitOperations(content, ({ key, value }) => {
      transaction.take(key, value);
      return true;
    });
    if (read !== content.length) return "damaged";
    bytes += content.length;
  }
  return "done";
}
