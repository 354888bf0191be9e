/**
 * The workflow that interprets programs. Its input is the program; its result is what every part of the program gave, in each of its generations.
 *
 * What is told of it to a {@link ProgramProbe}: what each function of a step knew as it was called, and how each context call settled.
 */
import { query, type WorkflowDefinition, workflow } from "@raftoral/workflow";
import { takeNotes } from "../notes.ts";
import { Paths } from "../program/paths.ts";
import type { Program } from "../program/program.ts";
import { BodySite } from "./body-site.ts";
import { Interpreter } from "./interpreter.ts";
import type { ProgramProbe } from "./program-probe.ts";

/** What the code outside of all branches was answered with so far. */
export const COURSE = query<string>("course");

/** What a generation hands to those after it. */
export interface Generation {
  readonly gave: unknown;
  /** Payloads of the signals that it was answered with, in that order. */
  readonly received: readonly number[];
}

/** The input of a generation. */
export interface ProgramInput extends Program {
  /** None in the first one. */
  readonly earlier?: readonly Generation[];
}

/** Which code interprets programs. */
export interface ProgramCode {
  /** That from before all changes of programs. */
  readonly isOld?: boolean;
}

/** Interprets {@link Program}s. */
export function programWorkflow(
  probe: ProgramProbe,
  { isOld = false }: ProgramCode = {},
): WorkflowDefinition<ProgramInput, unknown> {
  return workflow("program", { version: 1 }, async (ctx, input: ProgramInput) => {
    const { earlier = [], generations, body, notings = [] } = input;
    probe.began(ctx, { generation: earlier.length + 1, isOld });
    const received: number[] = [];
    const site = new BodySite(ctx, new Paths(), { probe, received, isOld });
    ctx.onQuery(COURSE, () => site.course);
    if (notings.length > 0) {
      takeNotes(ctx, {
        generation: earlier.length + 1,
        course: () => site.course,
        step: (own, begun) => own.step("note", (step) => probe.stepCalled(own, step.idempotencyKey, begun)),
      });
    }
    const gave = await new Interpreter(site).perform(body);
    const all = [...earlier, { gave: gave ?? null, received }];
    if (all.length < generations) return await ctx.continueAsNew({ ...input, earlier: all });
    probe.returned(ctx, site.course);
    return all.map((generation) => generation.gave);
  });
}
