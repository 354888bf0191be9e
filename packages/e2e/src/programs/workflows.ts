/** Workflows that the tests' nodes execute. Every execution of a step is in the work log. */
import { setTimeout as pause } from "node:timers/promises";
import { type WorkflowContext, type WorkflowDefinition, workflow } from "raftoral";
import type { WorkLog } from "../harness/index.ts";
import { approval } from "./approval.ts";
import { adding, limited, racing, sheltered } from "./branches.ts";
import { bulky } from "./bulky.ts";
import { desk } from "./desk.ts";
import { fleet, voyage } from "./fleet.ts";
import { journey } from "./journey.ts";
import { bounded, resting } from "./kept.ts";
import { labor } from "./labor.ts";
import { parcel } from "./parcel.ts";
import { talk } from "./talk.ts";
import { ticket } from "./ticket.ts";
import { till } from "./till.ts";
import { tap, vault } from "./vault.ts";

export interface TallyInput {
  readonly steps: number;
  /** How long each step takes. */
  readonly stepMs: number;
}

/** What a step records: `execution` is its id in the work log. */
export interface StepRecord {
  readonly n: number;
  readonly node: number;
  readonly execution: string;
}

export interface HoldInput {
  /** How long the first owner's only step takes. */
  readonly firstMs: number;
  /** How long every later owner's takes. */
  readonly laterMs: number;
  /** Whether the first owner's keeps its event loop from turning meanwhile, as a long computation does. */
  readonly blocks: boolean;
}

export interface NapInput {
  readonly ms: number;
  /** Sleeps, or waits for a signal that is never sent. */
  readonly how: "sleep" | "wait";
}

const ANSWER_MS = 100;

/** The workflows; a node's id comes from the context. */
export function testWorkflows(workLog: WorkLog): readonly WorkflowDefinition[] {
  const step = async (ctx: WorkflowContext, name: string, n: number, work: () => Promise<void>) => {
    const record = await ctx.step(name, async ({ fencingToken }): Promise<StepRecord> => {
      const execution = workLog.begin({ run: ctx.runId, step: name, node: ctx.nodeId, epoch: fencingToken });
      await work();
      workLog.end(execution);
      return { n, node: ctx.nodeId, execution };
    });
    workLog.acknowledge(record.execution);
    return record;
  };

  /** Steps one after the other; the result is the sum of their numbers. */
  const tally = workflow("tally", { version: 1 }, async (ctx, { steps, stepMs }: TallyInput) => {
    let sum = 0;
    for (let n = 1; n <= steps; n += 1) {
      const record = await step(ctx, `step-${n}`, n, async () => void (await pause(stepMs)));
      sum += record.n;
    }
    return sum;
  });

  /** One step that holds its first owner up; the result is the node whose execution counts. */
  const hold = workflow("hold", { version: 1 }, async (ctx, { firstMs, laterMs, blocks }: HoldInput) => {
    const { node } = await step(ctx, "hold", 1, async () => {
      const isFirst = ctx.attempt === 1;
      if (!isFirst || !blocks) return void (await pause(isFirst ? firstMs : laterMs));
      // First the answer to the caller that started the run must get out.
      await pause(ANSWER_MS);
      const end = performance.now() + firstMs;
      while (performance.now() < end);
    });
    return node;
  });

  /** A step, some time, another step. */
  const nap = workflow("nap", { version: 1 }, async (ctx, { ms, how }: NapInput) => {
    await step(ctx, "before", 1, async () => {});
    if (how === "sleep") await ctx.sleep(ms);
    else await ctx.waitFor("never", { timeout: ms });
    const { node } = await step(ctx, "after", 2, async () => {});
    return node;
  });

  /** Ends its process, as a crash in native code would. */
  const poison = workflow("poison", { version: 1 }, async (ctx) => {
    await ctx.step("harmless", () => "done");
    await ctx.step("abort", () => process.abort());
  });

  /** Waits for a signal and returns its payload. */
  const patient = workflow("patient", { version: 1 }, (ctx) => ctx.waitFor("go"));
  /** Ends at once, with what it was started with. */
  const delayed = workflow("delayed", { version: 1 }, async (_ctx, input: string) => input);
  /** Each in the middle when its owner is killed (features/). */
  const features = [
    labor,
    vault,
    tap,
    approval,
    talk,
    ticket,
    racing,
    adding,
    limited,
    sheltered,
    journey,
    fleet,
    voyage,
    parcel,
    till,
    desk,
    resting,
    bounded,
  ];
  return [tally, hold, nap, poison, patient, delayed, bulky, ...features];
}
