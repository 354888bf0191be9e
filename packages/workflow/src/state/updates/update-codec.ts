/** Updates of a run as bytes, in the store and in snapshots. */
import type { StateKey } from "@raftoral/raft-core";
import type { RecordPosition } from "../../model/record.ts";
import { type CallingRun, callingRunCodec, NO_CALLER } from "../../model/runs/calling-run.ts";
import { UPDATE_STATUSES, type UpdateStatus } from "../../model/update.ts";
import { numberKey, updateKey, updatePlaceKey } from "../../records/state-keys.ts";
import { bytes, message, named, optional, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { runNames } from "../blobs/blob-references.ts";
import type { RecordSink } from "../runs/run-records.ts";
import { written } from "../streams/stream-codec.ts";

/** One update of a run. */
export interface UpdateRecord {
  readonly id: string;
  readonly name: string;
  /** From 1, in the order in which the run's updates came. */
  readonly number: number;
  readonly status: UpdateStatus;
  /** The input of a pending one, and the answer of an answered one. */
  readonly value: Uint8Array;
  /** From 1, in the order in which they were answered; 0 for one that is open. */
  readonly place: number;
  /** Where the history has its acceptance; 0 for one that is pending. */
  readonly position: RecordPosition;
  /** Of the input's value; empty for an input that is not compared. */
  readonly inputDigest: Uint8Array;
  /** The run that waits for the answer, if a run does. */
  readonly caller?: CallingRun;
}

export const updateCodec = messageCodec<UpdateRecord>(
  {
    id: string(1),
    name: string(2),
    number: uint(3),
    status: named(4, UPDATE_STATUSES, "status of an update"),
    value: bytes(5),
    place: uint(6),
    caller: optional(message(7, callingRunCodec, NO_CALLER)),
    position: uint(8),
    inputDigest: bytes(9),
  },
  {},
);

const encoder = new TextEncoder();

/** Stores an update, and where it stands among the answered ones. */
export function putUpdate(to: RecordSink, startKey: StateKey, update: UpdateRecord): void {
  to.put(updateKey(startKey, update.id), written(updateCodec, update));
  // A run that has ever had an update is swept whatever else it has (runs/run-remains.ts).
  runNames(to, startKey, update.value);
  if (update.place > 0) to.put(updatePlaceKey(startKey, numberKey(update.place)), encoder.encode(update.id));
}
