/**
 * HandOver: records that the archive hook has taken runs that ended, so that retention may drop them.
 *
 * HO1. A run counts as taken as it ended: one that was retried meanwhile, or whose id another run has, is to be taken again.
 */
import type { EndedRunName } from "../../model/runs/ended-run-name.ts";
import { messages, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { defineCommand } from "../command.ts";

/** Runs that one command marks at most. */
export const MAX_HANDED_OVER_AT_ONCE = 256;

/** Marks at most MAX_HANDED_OVER_AT_ONCE runs. Answered with HandedOver. */
export interface HandOver {
  readonly kind: "HandOver";
  readonly runs: readonly EndedRunName[];
  readonly atMs: number;
}

/** Of the runs, so many were not marked before. */
export interface HandedOver {
  readonly ok: true;
  readonly kind: "HandedOver";
  readonly marked: number;
}

const nameCodec = messageCodec<EndedRunName>({ runId: string(1), startIndex: uint(2), endIndex: uint(3) }, {});

export const handOver = defineCommand<HandOver, HandedOver>({
  kind: "HandOver",
  field: 60,
  summary: "Records that the archive hook has taken runs that ended.",
  maxRuns: MAX_HANDED_OVER_AT_ONCE,
  fields: { runs: messages(1, nameCodec), atMs: uint(2) },
  apply({ runs: table }, { runs }) {
    let marked = 0;
    for (const { runId, startIndex, endIndex } of runs.slice(0, MAX_HANDED_OVER_AT_ONCE)) {
      const run = table.get(runId);
      if (run?.startIndex === startIndex && table.handOver(run, endIndex)) marked += 1;
    }
    return { ok: true, kind: "HandedOver", marked };
  },
});
