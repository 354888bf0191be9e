/**
 * What operators have done, the latest of it: who, when and why.
 *
 * AU1. An entry is written by the command that does what it says, in the same commit: nothing is done without its entry, and no entry stands for what was refused.
 * AU2. A command writes one entry, whose key is the command's place in the log.
 * AU3. A bounded number of entries and bytes is kept; the oldest go first, a few with each new one.
 */
import type { LogIndex, StateKey, StateStore } from "@raftoral/raft-core";
import { KEY_PREFIX, kindRange, numberKey } from "../../records/state-keys.ts";
import { string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { firstKeys } from "../runs/first-keys.ts";
import { readFrom, written } from "../streams/stream-codec.ts";

/** Entries that are kept. */
const MAX_ENTRIES = 10_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** Entries that a new one drops at most. */
const MAX_DROPPED_AT_ONCE = 16;
/** Longest texts of an entry, in UTF-16 units; longer ones are cut. */
const MAX_TEXT = 1_000;

/** What was done. */
export interface AuditedAction {
  /** Name of the operation, as in the API: `cancel`, `retry`, `pause-type`, ... */
  readonly action: string;
  /** What it was done to: the id of a run, a workflow type, the id of a node. */
  readonly subject: string;
  /** More of it, for people; empty for nothing. */
  readonly detail: string;
}

/** What the audit says of a command. */
export interface AuditedCommand extends AuditedAction {
  /** Why, for a command that has it in a field of its own; otherwise its `reason` says. */
  readonly reason?: string;
}

/** One entry. Structured-cloneable. */
export interface AuditEntry extends AuditedAction {
  /** Place of the command in the log. */
  readonly index: LogIndex;
  /** The log clock then, in ms since the epoch. */
  readonly atMs: number;
  /** Who asked for it. */
  readonly by: string;
  /** Why; empty when nothing was said. */
  readonly reason: string;
}

/** An entry, in the store and in a snapshot. */
export const auditCodec = messageCodec<AuditEntry>(
  {
    index: uint(1),
    atMs: uint(2),
    by: string(3),
    action: string(4),
    subject: string(5),
    detail: string(6),
    reason: string(7),
  },
  {},
);

/** The key of an entry. */
export function auditKey({ index }: Pick<AuditEntry, "index">): StateKey {
  return KEY_PREFIX.audit + numberKey(index);
}

/** How much is kept, in the header. */
export interface AuditTotals {
  readonly auditEntries: number;
  readonly auditBytes: number;
}

/** Which entries to read: the latest first. */
export interface AuditQuery {
  /** Entries behind this place in the log, going back: `next` of the page before. Absent: from the latest on. */
  readonly before?: LogIndex;
  readonly limit: number;
  /** Only entries about this. */
  readonly subject?: string;
  /** Only entries of this caller. */
  readonly by?: string;
}

/** One page. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Present when there may be more. */
  readonly next?: LogIndex;
}

/** Entries that one page looks at. */
const MAX_LOOKED_AT = 1_000;

/** The audit of one state machine, over its store (AU1 to AU3). */
export class AuditLog {
  readonly #store: StateStore;
  #entries: number;
  #bytes: number;

  constructor(store: StateStore, { auditEntries, auditBytes }: AuditTotals) {
    this.#store = store;
    this.#entries = auditEntries;
    this.#bytes = auditBytes;
  }

  get totals(): AuditTotals {
    return { auditEntries: this.#entries, auditBytes: this.#bytes };
  }

  /** Writes an entry and gives it as it stands. */
  add(given: AuditEntry): AuditEntry {
    const { index, atMs } = given;
    const texts = { by: cut(given.by), action: cut(given.action), subject: cut(given.subject) };
    const entry: AuditEntry = { index, atMs, ...texts, detail: cut(given.detail), reason: cut(given.reason) };
    const bytes = written(auditCodec, entry);
    this.#store.put(auditKey(entry), bytes);
    this.#entries += 1;
    this.#bytes += bytes.length;
    this.#trim();
    return entry;
  }

  page({ before, limit, subject, by }: AuditQuery): AuditPage {
    const [start, end] = kindRange(KEY_PREFIX.audit);
    const upTo = before === undefined ? end : auditKey({ index: before });
    const entries: AuditEntry[] = [];
    let [looked, last] = [0, 0];
    for (const [, value] of this.#store.scanBack(start, upTo)) {
      if (entries.length === limit || looked === MAX_LOOKED_AT) return { entries, next: last };
      looked += 1;
      const entry = readFrom(auditCodec, value);
      last = entry.index;
      if (subject !== undefined && entry.subject !== subject) continue;
      if (by === undefined || entry.by === by) entries.push(entry);
    }
    return { entries };
  }

  #trim(): void {
    if (this.#entries <= MAX_ENTRIES && this.#bytes <= MAX_BYTES) return;
    for (const key of firstKeys(this.#store.scan(...kindRange(KEY_PREFIX.audit)), MAX_DROPPED_AT_ONCE)) {
      if (this.#entries <= MAX_ENTRIES && this.#bytes <= MAX_BYTES) return;
      this.#bytes -= this.#store.get(key)?.length ?? 0;
      this.#entries -= 1;
      this.#store.delete(key);
    }
  }
}

function cut(text: string): string {
  return text.length <= MAX_TEXT ? text : `${text.slice(0, MAX_TEXT - 1)}…`;
}
