/**
 * MoveRuns: moves the next piece of the runs that are to be moved (tables.ts O3). The leader proposes it until none are left.
 *
 * MR1. Runs of vacated seats come first, the oldest seat first and in the order of their start; then runs without a seat that a live node can execute; then runs
 *      that are held because code did not fit them, to processes that registered later.
 * MR2. A piece costs at most `MAX_MOVED_AT_ONCE`: 1 for a run that moves, `END_COST` for one that ends instead (tables.ts O4).
 * MR3. Runs of a process that was replaced stay with their node if it can execute them; all others go to the least loaded node that can. Where their queue leaves no
 *      room on any, they wait for that, and count in the queue meanwhile (state/queues/admission.ts Q2).
 */

import type { OwnerReason } from "../../model/runs/ownership.ts";
import type { NodeRecord } from "../../nodes/node-record.ts";
import type { VacatedSeat } from "../../nodes/seat.ts";
import type { RunRecord } from "../../state/runs/run-record.ts";
import type { Tables } from "../../state/tables.ts";
import { uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import type { Moved } from "../results.ts";

/** Runs that one command moves at most, so that applying it stays short. */
export const MAX_MOVED_AT_ONCE = 256;
/** What a run costs that ends instead of being moved: its records are put together. */
const END_COST = 8;

/** Moves one piece of runs. Answered with Moved, whose `left` says how many are left to move. */
export interface MoveRuns {
  readonly kind: "MoveRuns";
  readonly atMs: number;
}

export const moveRuns = defineCommand<MoveRuns, Moved>({
  kind: "MoveRuns",
  field: 24,
  summary: "Moves the next piece of the runs that no process executes.",
  maxRuns: MAX_MOVED_AT_ONCE,
  fields: { atMs: uint(1) },
  apply: (tables) => movePiece(tables),
});

/** One piece. Every command after which runs are to be moved moves the first one itself. */
export function movePiece(tables: Tables): Moved {
  const { nodes, runs } = tables;
  const piece = new Piece(tables);
  for (const vacated of nodes.vacated()) {
    for (const start of runs.places.startsOn(vacated.seat, piece.room)) piece.move(runs.at(start), vacated);
    if (runs.places.loadOf(vacated.seat) > 0) break;
    nodes.release(vacated.seat);
  }
  for (const wanted of runs.places.waiting()) {
    if (piece.room === 0) break;
    if (nodes.choose(wanted, tables.loadOf) === undefined) continue;
    for (const start of runs.places.startsWaitingFor(wanted, piece.room)) piece.move(runs.at(start), ADOPTION);
  }
  for (const [node, starts] of tables.held(piece.room)) {
    for (const start of starts.slice(0, piece.room)) piece.retry(runs.at(start), node);
  }
  const { moved, orphaned } = piece;
  return { ok: true, kind: "Moved", moved, orphaned, left: tables.toMove };
}

const ADOPTION = Object.freeze({ nodeId: 0, reason: "adoption" as const });

class Piece {
  moved = 0;
  orphaned = 0;
  /** What may still be spent (MR2). */
  room = MAX_MOVED_AT_ONCE;
  readonly #tables: Tables;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  move(run: RunRecord, from: Pick<VacatedSeat, "nodeId" | "reason">): void {
    if (this.room === 0) return;
    const to = this.#target(run, from.nodeId, from.reason);
    this.#tables.assign(run, to, from.reason);
    this.room = Math.max(0, this.room - (run.head.status === "finished" ? END_COST : 1));
    this.moved += 1;
    if (to === undefined) this.orphaned += 1;
  }

  /** A process that registered after the run was held may have code that fits. */
  retry(run: RunRecord, node: NodeRecord): void {
    if (this.room === 0) return;
    this.#tables.retry(run, node);
    this.room -= 1;
    this.moved += 1;
  }

  /** MR3. */
  #target(run: RunRecord, before: number, reason: OwnerReason): NodeRecord | undefined {
    return this.#tables.nodeFor(run, reason === "restart" ? before : 0);
  }
}
