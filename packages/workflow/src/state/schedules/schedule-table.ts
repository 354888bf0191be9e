/**
 * All schedules, by id and by when they are due.
 *
 * SC1. A schedule has one entry in the order of time while there is something to do for it, where its record says (`dueMsOf`), and none otherwise.
 * SC2. A run of a schedule is in its record from its start to its end. A run that is retried after its end is not in it again.
 * SC3. Settings change with the generation alone, and are gone with the schedule. Its runs go on without it.
 */
import type { StateKey, StateReader, StateRecord } from "@raftoral/raft-core";
import { NO_SETTINGS, type ScheduledBy, type ScheduleSettings } from "../../model/schedule.ts";
import { KEY_PREFIX, kindRange, numberKey, textKey } from "../../records/state-keys.ts";
import { readFrom, written } from "../streams/stream-codec.ts";
import {
  dueCodec,
  dueKey,
  dueMsOf,
  type ScheduleRecord,
  scheduleBlob,
  scheduleCodec,
  scheduleKey,
  settingsKey,
  storedSettingsCodec,
} from "./schedule-record.ts";

/** What the table is kept in. */
interface ScheduleStore extends StateReader {
  scan(start: StateKey, end: StateKey): Iterable<StateRecord>;
  put(key: StateKey, value: Uint8Array): void;
  delete(key: StateKey): void;
}

/** Bytes of inputs that one read gives at most, but for a single larger one. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** A schedule with its settings. Structured-cloneable. */
export interface ScheduleView extends ScheduleRecord {
  readonly settings: ScheduleSettings;
}

/** The schedules of one state machine, over its store (SC1 to SC3). */
export class ScheduleTable {
  readonly #store: ScheduleStore;

  constructor(store: ScheduleStore) {
    this.#store = store;
  }

  /** The schedule of this id. */
  get(scheduleId: string): ScheduleRecord | undefined {
    const found = this.#store.get(scheduleKey(scheduleId));
    return found === undefined ? undefined : readFrom(scheduleCodec, found);
  }

  /** What it starts, and when. */
  settingsOf({ scheduleId }: ScheduleRecord): ScheduleSettings {
    const found = this.#store.get(settingsKey(scheduleId));
    return found === undefined ? NO_SETTINGS : readFrom(storedSettingsCodec, found).settings;
  }

  /** The schedule of this id with its settings. */
  view(scheduleId: string): ScheduleView | undefined {
    const found = this.get(scheduleId);
    return found === undefined ? undefined : { ...found, settings: this.settingsOf(found) };
  }

  /** At most `limit` schedules whose ids come after `after`, by the bytes of their ids. */
  page(after: string | undefined, limit: number): readonly ScheduleView[] {
    const [first, end] = kindRange(KEY_PREFIX.schedule);
    // No key comes between a text and the text with a zero.
    const start = after === undefined ? first : `${KEY_PREFIX.schedule}${textKey(after)}\u0000`;
    const records: ScheduleRecord[] = [];
    for (const [, content] of this.#store.scan(start, end)) {
      if (records.length === limit) break;
      records.push(readFrom(scheduleCodec, content));
    }
    return this.#views(records);
  }

  /** When the first schedule is due, in ms since the epoch; infinity for never. */
  firstDueMs(): number {
    for (const [, content] of this.#store.scan(...kindRange(KEY_PREFIX.scheduleDue)))
      return readFrom(dueCodec, content).dueMs;
    return Number.POSITIVE_INFINITY;
  }

  /** At most `limit` of the schedules that are due until then, the first ones first. */
  due(untilMs: number, limit: number): readonly ScheduleView[] {
    const ids: string[] = [];
    const [start] = kindRange(KEY_PREFIX.scheduleDue);
    const end = KEY_PREFIX.scheduleDue + numberKey(Math.min(untilMs, Number.MAX_SAFE_INTEGER - 1) + 1);
    for (const [, content] of this.#store.scan(start, end)) {
      if (ids.length === limit) break;
      ids.push(readFrom(dueCodec, content).scheduleId);
    }
    return this.#views(ids.map((id) => this.get(id)).filter((record) => record !== undefined));
  }

  /** Puts a schedule in the place of what was known of it, with its settings if they are new (SC1). */
  put(schedule: ScheduleRecord, settings?: ScheduleSettings): void {
    const { scheduleId } = schedule;
    const before = this.get(scheduleId);
    this.#store.put(scheduleKey(scheduleId), written(scheduleCodec, schedule));
    if (settings !== undefined) {
      this.#unname(scheduleId);
      this.#store.put(settingsKey(scheduleId), written(storedSettingsCodec, { scheduleId, settings }));
      const named = scheduleBlob({ scheduleId, settings });
      if (named !== undefined) this.#store.put(...named);
    }
    this.#setDue(scheduleId, before === undefined ? undefined : dueMsOf(before), dueMsOf(schedule));
  }

  /** The schedule is gone (SC3). */
  delete(schedule: ScheduleRecord): void {
    const { scheduleId } = schedule;
    this.#unname(scheduleId);
    this.#store.delete(scheduleKey(scheduleId));
    this.#store.delete(settingsKey(scheduleId));
    this.#setDue(scheduleId, dueMsOf(schedule), undefined);
  }

  /** A run of a schedule has ended (SC2). */
  ended({ scheduleId, createdIndex }: ScheduledBy, family: number): void {
    const schedule = this.get(scheduleId);
    if (schedule?.createdIndex !== createdIndex) return;
    const running = schedule.running.filter((run) => run.family !== family);
    if (running.length < schedule.running.length) this.put({ ...schedule, running });
  }

  /** With their settings, up to a number of bytes; the first one in any case. */
  #views(records: readonly ScheduleRecord[]): readonly ScheduleView[] {
    const views: ScheduleView[] = [];
    let bytes = 0;
    for (const record of records) {
      const settings = this.settingsOf(record);
      bytes += settings.input.length;
      if (bytes > MAX_PAGE_BYTES && views.length > 0) break;
      views.push({ ...record, settings });
    }
    return views;
  }

  /** The blob that the schedule's input refers to is not named by it any more. */
  #unname(scheduleId: string): void {
    const found = this.#store.get(settingsKey(scheduleId));
    const named = found === undefined ? undefined : scheduleBlob(readFrom(storedSettingsCodec, found));
    if (named !== undefined) this.#store.delete(named[0]);
  }

  #setDue(scheduleId: string, before: number | undefined, dueMs: number | undefined): void {
    if (before === dueMs) return;
    if (before !== undefined) this.#store.delete(dueKey({ dueMs: before, scheduleId }));
    if (dueMs !== undefined) this.#store.put(dueKey({ dueMs, scheduleId }), written(dueCodec, { dueMs, scheduleId }));
  }
}
