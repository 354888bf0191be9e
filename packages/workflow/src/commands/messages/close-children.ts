/**
 * CloseChildren: tells the next piece of running children that their parent has ended. The leader proposes it until none are left (child-table.ts CT3).
 *
 * CC1. A child whose policy is "cancel" is asked to cancel, an abandoned one goes on. Neither is told again.
 * CC2. A piece costs at most `MAX_TOLD_AT_ONCE`: 1 for a child that goes on or is asked, `END_COST` for one that ends because it has no owner.
 */
import { uint } from "../../wire/fields.ts";
import { defineCommand } from "../command.ts";
import { askToCancel } from "../runs/cancel.ts";

/** Children that one command tells at most, so that applying it stays short. */
export const MAX_TOLD_AT_ONCE = 256;
/** What a child costs that ends at once: its records are put together. */
const END_COST = 8;

/** Tells one piece of children of their parent's end. Answered with ChildrenTold. */
export interface CloseChildren {
  readonly kind: "CloseChildren";
  readonly atMs: number;
}

/** Children know that their parent has ended. */
export interface ChildrenTold {
  readonly ok: true;
  readonly kind: "ChildrenTold";
  readonly told: number;
  /** Whether others are left to tell. */
  readonly more: boolean;
}

export const closeChildren = defineCommand<CloseChildren, ChildrenTold>({
  kind: "CloseChildren",
  field: 33,
  summary: "Tells the next piece of running children that their parent has ended.",
  maxRuns: MAX_TOLD_AT_ONCE,
  fields: { atMs: uint(1) },
  apply(tables) {
    const { children, runs } = tables;
    let [room, told] = [MAX_TOLD_AT_ONCE, 0];
    for (let family = children.closing(); family !== undefined && room > 0; family = children.closing()) {
      for (const start of children.of(family, room)) {
        if (room <= 0) break;
        const run = runs.at(start);
        children.remove(family, start);
        told += 1;
        room -= 1;
        const { head, parent } = run;
        if (head.status !== "running" || parent?.closePolicy !== "cancel") continue;
        askToCancel(tables, run, head, `its parent ${parent.runId} has ended`);
        if (head.owner === 0) room -= END_COST - 1;
      }
      if (children.of(family, 1).length === 0) children.closed(family);
    }
    return { ok: true, kind: "ChildrenTold", told, more: children.closing() !== undefined };
  },
});
