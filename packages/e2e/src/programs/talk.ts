/** A workflow that writes to a stream in its body and in its steps. */
import { setTimeout as pause } from "node:timers/promises";
import { stream, type WorkflowDefinition, workflow } from "raftoral";
import { holdFirstOwner } from "./held-up.ts";

/** Chunks of the body have a round alone; those of a step, their place within it too. */
export interface Said {
  readonly round: number;
  readonly word?: number;
}

export const said = stream<Said>("said");

/** Words that each step says. */
export const WORDS = 5;
/** The first owner falls silent in this round, after so many words. */
export const SILENT_ROUND = 20;
export const LAST_WORDS = 2;
const WORD_MS = 5;

/** In each round a chunk of the body, then {@link WORDS} of a step. */
export const talk = workflow("talk", { version: 1 }, async (ctx, rounds: number) => {
  const out = ctx.stream(said);
  for (let round = 0; round < rounds; round++) {
    await out.write({ round });
    await ctx.step("say", async () => {
      for (let word = 0; word < WORDS; word++) {
        if (round === SILENT_ROUND && word === LAST_WORDS) await holdFirstOwner(ctx);
        await out.write({ round, word });
        await pause(WORD_MS);
      }
    });
  }
  await out.end();
}) satisfies WorkflowDefinition;
