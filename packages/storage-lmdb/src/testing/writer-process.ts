/**
 * A process for tests to watch, stop and kill: appends entries to group 1, and prints each index once its write
 * resolved.
 *
 * Arguments: folder, number of writes (0: until killed), entries per write, flush mode, size of a journal file in bytes.
 */
import { writeSync } from "node:fs";
import type { FlushMode } from "../commit/flush-pace.ts";
import { LmdbEnvironment } from "../lmdb-environment.ts";
import { testEntries } from "./entries.ts";

const [path = "", writes = "0", perWrite = "1", flush = "auto", journal] = process.argv.slice(2);
const journalBytes = journal === undefined ? {} : { journalBytes: Number(journal) };
const environment = await LmdbEnvironment.open({ path, flush: flush as FlushMode, ...journalBytes });
const storage = await environment.group(1);
const count = Number(writes) === 0 ? Number.POSITIVE_INFINITY : Number(writes);
writeSync(1, `open ${storage.lastIndex()}\n`);
for (let done = 0; done < count; done++) {
  const next = storage.lastIndex() + 1;
  const entries = testEntries(next, next + Number(perWrite), environment.incarnation);
  // A compaction now and then, so that a kill may fall into the deletion of what it left behind.
  const compactTo = done % 50 === 49 ? next - 20 : storage.firstIndex();
  try {
    await storage.write({
      hardState: { term: environment.incarnation, vote: 1, commit: next - 1 },
      entries,
      ...(compactTo > storage.firstIndex() ? { compactTo } : {}),
    });
  } catch (error) {
    writeSync(1, `failed ${(error as { code?: string }).code}\n`);
    process.exit(3);
  }
  // Synchronous: once the line is out, the write was acknowledged, however soon the kill comes.
  writeSync(1, `${next + entries.length - 1}\n`);
}
await environment.close();
