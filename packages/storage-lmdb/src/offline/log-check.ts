/** Checks records as they come, in the order of their keys: checksums, and what they say of each other. */
import { entryIndexOf } from "../format/keys.ts";
import { entryTerm, isEntry } from "../format/records.ts";
import { generationOf } from "../state-store/state-records.ts";
import type { DamageList } from "./damage.ts";
import { type GroupRecords, groupOf } from "./group-list.ts";

/** Kinds of keys (keys.ts, state-records.ts). */
const STATE = 0x10;
const ENTRY = 0x20;
const STATE_RECORD = 0x40;
const STATE_MARK = 0x41;

/** How far a group's log was checked. */
interface LogPlace {
  readonly records: GroupRecords;
  next: number;
  term: number;
}

/** One check. `visit` takes every record in the order of the keys, `finish` comes last; both add what they find to the damages. */
export class LogCheck {
  readonly #file: string;
  readonly #damages: DamageList;
  readonly #logs = new Map<number, LogPlace>();
  /** Groups that are known to be damaged as a whole, or were told to be. */
  readonly #told: Set<number>;

  constructor(file: string, groups: readonly GroupRecords[], damaged: ReadonlySet<number>, damages: DamageList) {
    this.#file = file;
    this.#damages = damages;
    this.#told = new Set(damaged);
    for (const records of groups) {
      const { state, group } = records;
      this.#logs.set(group, { records, next: state.compactedIndex + 1, term: state.compactedTerm });
      this.#checkBounds(records);
    }
  }

  /** The next record. `isSound`: it has its checksum. */
  visit(key: Buffer, value: Buffer, isSound: boolean): void {
    const kind = key[0];
    if (kind === ENTRY) this.#visitEntry(key, value, isSound);
    else if (kind === STATE_RECORD) this.#visitState(key, isSound);
    // Those before the groups', and what is known of groups, was judged before.
    else if (!isSound && kind !== undefined && kind > STATE && kind !== STATE_MARK) {
      this.#damages.add({ file: this.#file, record: "record", key: key.toString("hex"), found: "wrong checksum" });
    }
  }

  /** All records were there. */
  finish(): void {
    for (const [group, { records, next }] of this.#logs) this.#missing(group, next, records.state.lastIndex + 1);
  }

  #checkBounds({ group, state, mark }: GroupRecords): void {
    const { compactedIndex, lastIndex, hardState, snapshot } = state;
    const isWrong =
      compactedIndex > lastIndex ||
      hardState.commit > lastIndex ||
      snapshot.index > lastIndex ||
      compactedIndex > snapshot.index;
    if (isWrong) {
      const found = `its bounds contradict each other: compacted to ${compactedIndex}, snapshot at ${snapshot.index}, committed to ${hardState.commit}, last ${lastIndex}`;
      this.#damages.add({ file: this.#file, group, record: "state", found });
    }
    if (mark !== undefined && mark.appliedIndex > lastIndex) {
      const found = `it stands at ${mark.appliedIndex}, though the log ends at ${lastIndex}`;
      this.#damages.add({ file: this.#file, group, record: "mark of the state store", found });
    }
  }

  #visitEntry(key: Buffer, value: Buffer, isSound: boolean): void {
    const group = groupOf(key) ?? 0;
    const index = key.length === 17 ? entryIndexOf(key) : 0;
    const place = this.#logs.get(group);
    if (place === undefined) {
      if (this.#told.has(group)) return;
      this.#told.add(group);
      const found = `missing, though there are entries, from ${index} on`;
      this.#damages.add({ file: this.#file, group, record: "state", found });
      return;
    }
    const { state } = place.records;
    // What compaction left behind is deleted unread.
    if (index <= state.compactedIndex) return;
    const where = { file: this.#file, group, record: `entry ${index}`, index };
    if (index > state.lastIndex) {
      this.#damages.add({ ...where, found: `present, though the log ends at ${state.lastIndex}` });
      return;
    }
    this.#missing(group, place.next, index);
    place.next = index + 1;
    if (!isSound) this.#damages.add({ ...where, found: "wrong checksum" });
    else if (!isEntry(value)) this.#damages.add({ ...where, found: "unreadable" });
    else {
      const term = entryTerm(value);
      if (term < place.term) {
        this.#damages.add({ ...where, found: `its term ${term} is below the one before it, ${place.term}` });
      }
      place.term = Math.max(place.term, term);
    }
  }

  #visitState(key: Buffer, isSound: boolean): void {
    const group = groupOf(key) ?? 0;
    const mark = this.#logs.get(group)?.records.mark;
    // Other generations are on their way in or out: they are not read before they are written whole.
    if (isSound || (mark !== undefined && key.length >= 13 && generationOf(key) !== mark.generation)) return;
    const record = `state record ${JSON.stringify(key.toString("latin1", 13))}`;
    this.#damages.add({ file: this.#file, group, record, key: key.toString("hex"), found: "wrong checksum" });
  }

  #missing(group: number, from: number, to: number): void {
    if (from >= to) return;
    const record = to - from === 1 ? `entry ${from}` : `entries ${from} to ${to - 1}`;
    this.#damages.add({ file: this.#file, group, record, index: from, found: "missing" });
  }
}
