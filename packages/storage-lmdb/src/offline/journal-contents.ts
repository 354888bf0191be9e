/**
 * Reads what the journal of a stopped node holds beyond LMDB, without changing anything.
 *
 * What is behind a damaged record is looked at as well, so that all damages are found; but it does not count any more: the
 * changes of a journal make sense in their order, and none may be left out.
 */
import { corrupt, StorageError } from "../errors.ts";
import { describeKey } from "../format/keys.ts";
import { isIntact } from "../format/records.ts";
import { examineEnd, type TornTail } from "../journal/journal-end.ts";
import { JournalFile } from "../journal/journal-file.ts";
import type { Mark, Position } from "../journal/mark.ts";
import { visitOperations } from "../journal/operations.ts";
import { isWhole, PAGE_BYTES, readHeader } from "../journal/record.ts";
import { fileOf, type JournalFiles, type JournalRecord, RecordReader } from "../journal/record-reader.ts";
import type { DamageList } from "./damage.ts";
import type { MergedRecords } from "./merged-records.ts";

/** What is known of a journal. */
export interface JournalContents {
  readonly generation: number;
  /** Sizes of the two files, in bytes. */
  readonly fileBytes: readonly [number, number];
  /** Records that LMDB does not hold yet. */
  readonly records: number;
  /** What a crash left of a write that was never acknowledged; the next start drops it. */
  readonly torn: TornTail | undefined;
}

/** Puts the journal's changes over `records`. With `damages` it goes on past damages; without, it throws the first. */
export async function readJournal(
  paths: readonly [string, string],
  mark: Mark,
  records: MergedRecords,
  damages?: DamageList,
): Promise<JournalContents> {
  const refuse = (error: unknown): void => {
    if (damages === undefined) throw error;
    damages.addError(error);
  };
  const opened: JournalFile[] = [];
  try {
    for (const [which, path] of paths.entries()) {
      const file = await JournalFile.open(path, mark.pages[which === 0 ? 0 : 1]);
      if (file instanceof JournalFile) opened.push(file);
      else
        refuse(
          corrupt({ file: path, record: "journal" }, file === "missing" ? "the file is missing" : "it was cut short"),
        );
    }
    const [even, odd] = opened;
    const fileBytes = [mark.pages[0] * PAGE_BYTES, mark.pages[1] * PAGE_BYTES] as const;
    const nothing = { generation: mark.generation, fileBytes, records: 0, torn: undefined };
    if (even === undefined || odd === undefined) return nothing;
    const files = { journalId: mark.journalId, files: [even, odd] as const };
    return { ...nothing, ...(await readRecords(files, mark, records, refuse)) };
  } finally {
    for (const file of opened) await file.close();
  }
}

async function readRecords(
  files: JournalFiles,
  from: Position,
  records: MergedRecords,
  refuse: (error: unknown) => void,
): Promise<Pick<JournalContents, "records" | "torn" | "generation">> {
  let reader = new RecordReader(files, from);
  let isContiguous = true;
  let counted = 0;
  for (;;) {
    const place = reader.position;
    const record = await reader.next();
    if (record !== undefined) {
      const isSound = examineContent(fileOf(files, record.at.generation).path, record, refuse);
      isContiguous &&= isSound;
      if (isContiguous) takeOver(record, records);
      counted += 1;
      continue;
    }
    try {
      const torn = await examineEnd(files, place);
      return { records: counted, torn, generation: place.generation };
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      refuse(error);
    }
    isContiguous = false;
    const beyond = await nextWhole(files, place);
    if (beyond === undefined) return { records: counted, torn: undefined, generation: place.generation };
    reader = new RecordReader(files, beyond);
  }
}

function takeOver(record: JournalRecord, records: MergedRecords): void {
  visitOperations(record.content, ({ key, value }) => {
    records.overlay(key, value);
    return true;
  });
}

/** Whether every operation makes sense and has the checksum that it is to have. */
function examineContent(file: string, record: JournalRecord, refuse: (error: unknown) => void): boolean {
  let isSound = true;
  const blame = (where: { group?: number; index?: number }, found: string): void => {
    isSound = false;
    refuse(corrupt({ file, ...where, record: `journal record ${record.at.sequence}` }, found));
  };
  const read = visitOperations(record.content, ({ key, value }) => {
    if (value !== undefined && !isIntact(key, value)) blame(describeKey(key), "wrong checksum of what it is to write");
    return true;
  });
  if (read !== record.content.length) blame({}, "its content makes no sense");
  return isSound;
}

/** The first whole record behind `place`, in its generation or the next. */
async function nextWhole(files: JournalFiles, place: Position): Promise<Position | undefined> {
  const places = [
    { generation: place.generation, page: place.page + 1 },
    { generation: place.generation + 1, page: 0 },
  ];
  for (const { generation, page: from } of places) {
    const file = fileOf(files, generation);
    const first = Buffer.alloc(PAGE_BYTES);
    for (let page = from; page < file.pages; page++) {
      await file.read(first, page, page + 1);
      const header = readHeader(first, 0);
      if (header === undefined || header.journalId !== files.journalId || header.generation !== generation) continue;
      if (header.sequence <= place.sequence || header.pages === 0 || page + header.pages > file.pages) continue;
      const bytes = Buffer.alloc(header.pages * PAGE_BYTES);
      await file.read(bytes, page, page + header.pages);
      if (isWhole(bytes, header)) return { generation, page, sequence: header.sequence };
    }
  }
  return undefined;
}
