/**
 * Records that a snapshot holds as the store does: one line each. A table that is added to the state is in snapshots by its line here.
 *
 * Runs are not among them: a run's records are spread over the store, and a snapshot puts them together.
 */
import type { StateKey } from "@raftoral/raft-core";
import type { WireReader } from "@raftoral/raft-core/wire";
import { nodeCodec } from "../../nodes/node-record.ts";
import { nodeKey, vacatedKey } from "../../nodes/node-table.ts";
import { vacatedSeatCodec } from "../../nodes/seat.ts";
import { KEY_PREFIX, tombstoneKey } from "../../records/state-keys.ts";
import { lockStateKey } from "../locks/lock-records.ts";
import { auditCodec, auditKey } from "../operators/audit-log.ts";
import { pausedTypeCodec, pausedTypeKey } from "../operators/paused-types.ts";
import { queueStateKey } from "../queues/queue-records.ts";
import { childCodec, childKey, closingCodec, closingKey, reportCodec, reportKey } from "../runs/child-table.ts";
import { ageEntry, tombstoneCodec } from "../runs/tombstones.ts";
import {
  dueCodec,
  dueKey,
  scheduleBlob,
  scheduleCodec,
  scheduleKey,
  settingsKey,
  storedSettingsCodec,
} from "../schedules/schedule-record.ts";
import { owedBlob, owedCodec, owedKey } from "../updates/owed-answers.ts";
import { invalid } from "./snapshot-format.ts";

/** One kind of record. */
export interface SnapshotRecords {
  /** The kind's number in a snapshot; never used again for another. */
  readonly number: number;
  /** What the keys of all its records begin with. */
  readonly prefix: string;
  /** The key of a record, out of its content. Throws SNAPSHOT_INVALID or COMMAND_INVALID for what is no such record. */
  readonly keyOf: (content: WireReader) => StateKey;
  /** Another entry of the store that follows from a record and is in no snapshot. */
  readonly entryOf?: (content: WireReader) => readonly [StateKey, Uint8Array] | undefined;
}

/** The kind of tombstones, which are counted. */
export const TOMBSTONES = 13;
/** The kind of the audit's entries, whose bytes are counted. */
export const AUDIT = 15;

/** In the order in which they come, before the runs. */
export const SNAPSHOT_RECORDS: readonly SnapshotRecords[] = [
  { number: 2, prefix: KEY_PREFIX.node, keyOf: (content) => nodeKey(known(nodeCodec.read(content).nodeId, "node")) },
  {
    number: 6,
    prefix: KEY_PREFIX.vacated,
    keyOf: (content) => vacatedKey(known(vacatedSeatCodec.read(content).seat, "seat")),
  },
  { number: 20, prefix: KEY_PREFIX.child, keyOf: (content) => childKey(childCodec.read(content)) },
  { number: 21, prefix: KEY_PREFIX.closing, keyOf: (content) => closingKey(closingCodec.read(content)) },
  { number: 22, prefix: KEY_PREFIX.report, keyOf: (content) => reportKey(reportCodec.read(content)) },
  {
    number: 24,
    prefix: KEY_PREFIX.schedule,
    keyOf: (content) => scheduleKey(scheduleCodec.read(content).scheduleId),
  },
  {
    number: 25,
    prefix: KEY_PREFIX.scheduleSettings,
    keyOf: (content) => settingsKey(storedSettingsCodec.read(content).scheduleId),
    entryOf: (content) => scheduleBlob(storedSettingsCodec.read(content)),
  },
  { number: 26, prefix: KEY_PREFIX.scheduleDue, keyOf: (content) => dueKey(dueCodec.read(content)) },
  { number: 18, prefix: KEY_PREFIX.queues, keyOf: queueStateKey },
  { number: 27, prefix: KEY_PREFIX.locks, keyOf: lockStateKey },
  { number: 28, prefix: KEY_PREFIX.lockPlaces, keyOf: lockStateKey },
  {
    number: TOMBSTONES,
    prefix: KEY_PREFIX.tombstone,
    keyOf: (content) => tombstoneKey(tombstoneCodec.read(content).runId),
    entryOf: (content) => ageEntry(tombstoneCodec.read(content)),
  },
  { number: 14, prefix: KEY_PREFIX.pausedType, keyOf: (content) => pausedTypeKey(pausedTypeCodec.read(content)) },
  { number: AUDIT, prefix: KEY_PREFIX.audit, keyOf: (content) => auditKey(auditCodec.read(content)) },
  {
    number: 23,
    prefix: KEY_PREFIX.owed,
    keyOf: (content) => owedKey(owedCodec.read(content)),
    entryOf: (content) => owedBlob(owedCodec.read(content)),
  },
];

function known(number: number, what: string): number {
  if (number === 0) throw invalid(`there is no ${what} 0`);
  return number;
}
