/**
 * What it means that there is no next record: nothing more was written, the last write was torn, or the journal is damaged.
 *
 * A write is acknowledged once all its sectors are flushed, and begun only after the one before it was acknowledged. So:
 * J1. A record that lacks sectors of its generation was never acknowledged, if nothing was written after it: dropped.
 * J2. A record all of whose sectors are there, and whose checksum is wrong, was changed after it was written: refused.
 * J3. A sector whose stamp belongs neither to the generation nor to an earlier one was changed, or the file is not the one
 *     that the database knows: refused.
 * J4. Whatever is missing or wrong was acknowledged if a whole record of the same or the next generation comes after it:
 *     refused.
 *
 * What no journal can tell: a disk that forgets the whole of the last acknowledged record looks as if it had never been
 * written.
 */
import { corrupt, type StorageError } from "../errors.ts";
import { describeKey } from "../format/keys.ts";
import { isIntact } from "../format/records.ts";
import type { JournalFile } from "./journal-file.ts";
import type { Position } from "./mark.ts";
import { visitOperations } from "./operations.ts";
import { contentOf, isWhole, PAGE_BYTES, type RecordHeader, readHeader, sectorOf } from "./record.ts";
import { fileOf, type JournalFiles } from "./record-reader.ts";
import { kindOf, SECTOR_BYTES, SECTOR_CONTENT_BYTES, stampOf } from "./stamps.ts";

/** Pages looked at at once when the rest of a file is searched. */
const WINDOW_PAGES = 256;
const SECTORS_PER_PAGE = PAGE_BYTES / SECTOR_BYTES;

/** A record that was begun and never acknowledged. */
export interface TornTail extends Position {
  readonly file: string;
  /** Sectors of it that reached the disk. */
  readonly sectors: number;
}

/**
 * Looks at where the next record would be, `end`, and at all behind it. Returns what is to be dropped, if anything. Throws
 * StorageError STORAGE_CORRUPT.
 */
export async function examineEnd(files: JournalFiles, end: Position): Promise<TornTail | undefined> {
  const places = [end, { generation: end.generation + 1, page: 0, sequence: end.sequence }];
  let torn: TornTail | undefined;
  for (const place of places) {
    const file = fileOf(files, place.generation);
    await refuseDamaged(files, place);
    const sectors = await examineRest(files, place);
    if (sectors > 0) torn ??= { ...place, file: file.path, sectors };
  }
  return torn;
}

/** The record that was to be at `place` is absent or torn, or a reason to refuse. */
async function refuseDamaged(files: JournalFiles, place: Position): Promise<void> {
  const file = fileOf(files, place.generation);
  if (place.page >= file.pages) return;
  const first = await pagesOf(file, place.page, 1);
  const kind = kindOf(first, 0, sectorOf(place.page), place.generation);
  // Without its header a record is torn, however much of the rest is there (J1).
  if (kind === "stale") return;
  if (kind === "foreign") throw damaged(file, place, "its first sector is damaged, or not of this journal");
  const header = readHeader(first, 0);
  if (header === undefined) throw damaged(file, place, "its header is damaged");
  const strange = strangenessOf(files, header, place);
  if (strange !== undefined) throw damaged(file, place, strange);
  const bytes = await pagesOf(file, place.page, header.pages);
  const kinds = { current: 0, stale: 0, foreign: 0 };
  for (let sector = 0; sector < header.pages * SECTORS_PER_PAGE; sector++) {
    kinds[kindOf(bytes, sector * SECTOR_BYTES, sectorOf(place.page) + sector, place.generation)]++;
  }
  if (kinds.foreign === 0 && kinds.stale > 0) return;
  const flaw = kinds.foreign > 0 ? `the stamps of ${kinds.foreign} of its sectors are damaged` : "wrong checksum";
  throw damaged(file, place, flaw, contentOf(bytes, header));
}

function strangenessOf(files: JournalFiles, header: RecordHeader, place: Position): string | undefined {
  if (header.journalId !== files.journalId) return "it belongs to another data folder";
  if (header.generation !== place.generation) return `it is of generation ${header.generation}`;
  if (header.sequence !== place.sequence) return `it has number ${header.sequence}: records are missing`;
  if (header.pages === 0 || place.page + header.pages > fileOf(files, place.generation).pages) {
    return `its length, ${header.pages} pages, makes no sense`;
  }
  return undefined;
}

/**
 * J4: refuses a whole record behind `place`, in its generation. Returns how many sectors of that generation there are from
 * `place` on.
 */
async function examineRest(files: JournalFiles, place: Position): Promise<number> {
  const file = fileOf(files, place.generation);
  const window = Buffer.alloc(WINDOW_PAGES * PAGE_BYTES);
  let written = 0;
  for (let page = place.page; page < file.pages; page += WINDOW_PAGES) {
    const count = await file.read(window, page, page + WINDOW_PAGES);
    for (let sector = 0; sector < count * SECTORS_PER_PAGE; sector++) {
      const at = sector * SECTOR_BYTES;
      const stamp = window.readUInt32LE(at + SECTOR_CONTENT_BYTES);
      if (stamp !== stampOf(place.generation, sectorOf(page) + sector)) continue;
      written++;
      const header = sector % SECTORS_PER_PAGE === 0 ? readHeader(window, at) : undefined;
      if (header === undefined || header.journalId !== files.journalId) continue;
      if (header.generation !== place.generation || header.sequence <= place.sequence) continue;
      const start = page + sector / SECTORS_PER_PAGE;
      if (start + header.pages > file.pages || !isWhole(await pagesOf(file, start, header.pages), header)) continue;
      throw damaged(file, place, `missing, though record ${header.sequence} came after it`);
    }
  }
  return written;
}

async function pagesOf(file: JournalFile, from: number, pages: number): Promise<Buffer> {
  const bytes = Buffer.alloc(pages * PAGE_BYTES);
  await file.read(bytes, from, from + pages);
  return bytes;
}

/** The refusal, naming group and index of the first damaged operation as far as `content` can be read. */
function damaged(file: JournalFile, place: Position, found: string, content?: Buffer): StorageError {
  const offset = place.page * PAGE_BYTES;
  const blamed = content === undefined ? {} : blame(content);
  const entry = blamed.index === undefined ? "" : ` (entry ${blamed.index})`;
  const record = `journal record ${place.sequence} at byte ${offset}${entry}`;
  return corrupt({ file: file.path, ...blamed, record, generation: place.generation, offset }, found);
}

/** Which group and entry the first operation that was changed belongs to; nothing when the damage is elsewhere. */
function blame(content: Buffer): { group?: number; index?: number } {
  let culprit: { group?: number; index?: number } = {};
  visitOperations(content, ({ key, value }) => {
    if (value === undefined || isIntact(key, value)) return true;
    culprit = describeKey(key);
    return false;
  });
  return culprit;
}
