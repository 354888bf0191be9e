/** A journal for tests: what it was given, what LMDB would hold of it, crashes that tear the last write. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { invariant } from "@raftoral/raft-core";
import { Journal } from "../journal/journal.ts";
import { examineEnd, type TornTail } from "../journal/journal-end.ts";
import type { Mark } from "../journal/mark.ts";
import { PAGE_BYTES } from "../journal/record.ts";
import { RecordReader } from "../journal/record-reader.ts";
import { SECTOR_BYTES } from "../journal/stamps.ts";

/** Size of each of its files. */
export const JOURNAL_BYTES: number = 16 * PAGE_BYTES;

/** Overwrites a part of a file. */
export function patch(path: string, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, "r+");
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

/** A journal with the mark that LMDB would hold, and what must be read back. */
export class Subject {
  readonly folder: string;
  journal: Journal;
  mark: Mark;
  /** Contents behind the mark, in order, with the number of each. */
  #kept: { sequence: number; content: Buffer; path: string; at: number; pages: number }[] = [];

  private constructor(folder: string, journal: Journal) {
    this.folder = folder;
    this.journal = journal;
    this.journal.beginAnew(this.journal.position);
    this.mark = this.journal.markAt(this.journal.position);
    this.journal.marked(this.mark);
  }

  static async create(): Promise<Subject> {
    const folder = mkdtempSync(join(tmpdir(), "raftoral-journal-"));
    return new Subject(folder, await Journal.create(folder, JOURNAL_BYTES));
  }

  get acknowledged(): readonly { sequence: number; content: Buffer; path: string; at: number; pages: number }[] {
    return this.#kept;
  }

  /** Appends, with a checkpoint before when there is no room. False when it is too large. */
  append(content: Buffer): boolean {
    const room = this.journal.makeRoom(content.length);
    if (room === "too large") return false;
    if (room === "full") this.checkpoint(1);
    invariant(this.journal.makeRoom(content.length) === "ready", "a checkpoint makes room");
    const { sequence, page } = this.journal.position;
    this.journal.appendBlocking(content);
    const pages = this.journal.position.page - page;
    this.#kept.push({ sequence, content, path: this.journal.path, at: page * PAGE_BYTES, pages });
    return true;
  }

  /** LMDB takes over this share of what it lacks; all of it for 1. */
  checkpoint(share: number): void {
    const count = Math.floor(this.#kept.length * share);
    const last = this.#kept[count - 1];
    if (last === undefined) return;
    const { generation } = this.journal.position;
    const inUse = last.path === this.journal.path ? generation : generation - 1;
    const next = { generation: inUse, page: last.at / PAGE_BYTES + last.pages, sequence: last.sequence + 1 };
    this.mark = this.journal.markAt(next);
    this.journal.marked(this.mark);
    this.#kept = this.#kept.slice(count);
  }

  /** As after a crash: everything behind the mark is read, then a new generation begins. */
  async reopen(): Promise<{ contents: Buffer[]; torn: TornTail | undefined }> {
    await this.journal.close();
    this.journal = await Journal.open(this.folder, this.mark, JOURNAL_BYTES);
    const reader = new RecordReader(this.journal, this.journal.position);
    const contents: Buffer[] = [];
    for (let record = await reader.next(); record !== undefined; record = await reader.next()) {
      contents.push(record.content);
    }
    const torn = await examineEnd(this.journal, reader.position);
    this.journal.beginAnew(reader.position);
    this.mark = this.journal.markAt(this.journal.position);
    this.journal.marked(this.mark);
    this.#kept = [];
    return { contents, torn };
  }

  /** Writes a record of which only some sectors reach the disk: those for which `reached` says so. */
  tear(content: Buffer, reached: (sector: number) => boolean): "nothing" | "torn" | "whole" {
    if (this.journal.makeRoom(content.length) === "full") this.checkpoint(1);
    if (this.journal.makeRoom(content.length) !== "ready") return "nothing";
    const before = readFileSync(this.journal.path);
    const path = this.journal.path;
    const { page } = this.journal.position;
    this.journal.appendBlocking(content);
    let lost = 0;
    let came = 0;
    for (let at = page * PAGE_BYTES; at < this.journal.position.page * PAGE_BYTES; at += SECTOR_BYTES) {
      if (reached(at / SECTOR_BYTES)) came++;
      else {
        patch(path, at, before.subarray(at, at + SECTOR_BYTES));
        lost++;
      }
    }
    return came === 0 ? "nothing" : lost === 0 ? "whole" : "torn";
  }

  async dispose(): Promise<void> {
    await this.journal.close();
    rmSync(this.folder, { recursive: true });
  }
}

/** Runs `use` with a new journal in a folder of its own, and deletes the folder afterwards. */
export async function withSubject(use: (subject: Subject) => Promise<void>): Promise<void> {
  const subject = await Subject.create();
  try {
    await use(subject);
  } finally {
    await subject.dispose();
  }
}
