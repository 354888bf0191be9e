/**
 * Seats: where runs are while a process executes them. Each registration of a process takes a new one.
 *
 * A seat stands between nodes and runs, so that neither has to know the other: nodes take and vacate seats, runs are on seats. Vacating is one
 * record, however many runs there are.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { OwnerReason } from "../model/runs/ownership.ts";
import { OWNER_REASONS } from "../model/runs/ownership.ts";
import { named, uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";

/** The name of a seat: opaque, never given out twice, ascending in time. 0 stands for none. */
export type Seat = number;

/** A seat that no process holds any more. */
export interface VacatedSeat {
  readonly seat: Seat;
  /** Who held it. */
  readonly nodeId: NodeId;
  /** What the runs that are left on it are moved for. */
  readonly reason: OwnerReason;
}

/** A vacated seat in the store, and in a snapshot. */
export const vacatedSeatCodec = messageCodec<VacatedSeat>(
  { seat: uint(1), nodeId: uint(2), reason: named(3, OWNER_REASONS, "owner reason") },
  {},
);
