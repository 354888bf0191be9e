/** Which groups there are in a folder, and what their records say of them. */
import { stateKey } from "../format/keys.ts";
import { decodeState, type GroupState, isIntact } from "../format/records.ts";
import { decodeStateMark, markKey, type StateMark } from "../state-store/state-records.ts";
import type { DamageList } from "./damage.ts";
import type { MergedRecords } from "./merged-records.ts";

/** What the records of one group say of it. */
export interface GroupRecords {
  readonly group: number;
  readonly state: GroupState;
  /** Of its state store; undefined when it has none. */
  readonly mark: StateMark | undefined;
}

/** Kinds of keys that begin with a group. */
const FIRST_GROUP_KIND = 0x10;
const GROUPS_PER_PAGE = 1_000;

/** All groups with a state record, by id. A damaged one is told, and left out; its id is in `damaged`. */
export function listGroups(
  records: MergedRecords,
  file: string,
  damages: DamageList,
): { readonly groups: readonly GroupRecords[]; readonly damaged: ReadonlySet<number> } {
  const groups: GroupRecords[] = [];
  const damaged = new Set<number>();
  const end = Buffer.from([FIRST_GROUP_KIND + 1]);
  let start: Buffer | undefined = Buffer.from([FIRST_GROUP_KIND]);
  while (start !== undefined) {
    start = records.visit({ start, end }, GROUPS_PER_PAGE, (key, value) => {
      const group = groupOf(key);
      if (group !== undefined && isIntact(stateKey(group), value)) {
        groups.push({ group, state: decodeState(Buffer.from(value)), mark: undefined });
        return;
      }
      if (group !== undefined) damaged.add(group);
      damages.add({
        file,
        record: "state",
        found: "wrong checksum",
        ...(group === undefined ? { key: key.toString("hex") } : { group }),
      });
    });
  }
  return { groups: groups.map((each) => ({ ...each, mark: markOf(records, file, each.group, damages) })), damaged };
}

function markOf(records: MergedRecords, file: string, group: number, damages: DamageList): StateMark | undefined {
  const key = markKey(group);
  const record = records.get(key);
  if (record === undefined) return undefined;
  const mark = decodeStateMark(key, record);
  if (mark === undefined) damages.add({ file, group, record: "mark of the state store", found: "wrong checksum" });
  return mark;
}

/** The group that a key of nine bytes or more names. */
export function groupOf(key: Buffer): number | undefined {
  if (key.length < 9) return undefined;
  const group = Number(key.readBigUInt64BE(1));
  return Number.isSafeInteger(group) ? group : undefined;
}
