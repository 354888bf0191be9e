/**
 * A run that operators mend while its owners die: steps that fail until somebody has seen to it, steps that hang until somebody answers them, waits in which it is paused, changed or
 * terminated; a fork of it, and its deletion. It ends with what the model makes of the acts, no path is recorded twice, and a deleted run is gone (P24 of finding.ts).
 */
import { isDeepStrictEqual } from "node:util";
import { variable, type WorkflowDefinition, workflow } from "@raftoral/workflow";
import type { Run } from "raftoral";
import type { TestCluster } from "raftoral/testing";
import type { ProgramFinding } from "../../workflows/finding.ts";
import type { Below } from "../../workflows/program/draw-program.ts";
import { type Act, numberOf, pause, type ScenarioKind, type Stage, textOf } from "../scenario.ts";

const RUN_ID = "patient";
const FORK_ID = "fork";
const UNSET = 1;
/** How long the run may take to come where the operator waits for it, in steps of virtual time. */
const LOOKS = 600;
const LOOK_MS = 100;
/**
 * Longer than a node is away, in virtual milliseconds: a start that a node which was cut off has kept, and that was repeated on another one meanwhile, comes before that. It must not
 * make a deleted run again.
 */
const STRAGGLERS_MS = 10_000;

const limit = variable<number>("limit");

/** What steps find outside: what it is decides what they give. */
class Ward {
  /** Changes before the run is led back, so that what steps give then is something else. */
  shift = 0;
  readonly closed = new Set<number>();
  readonly hanging = new Set<number>();

  visit(at: number): string | Promise<never> {
    if (this.hanging.has(at)) return new Promise(() => {});
    if (this.closed.has(at)) throw new Error(`step ${at} is closed`);
    return `${at}/${this.shift}`;
  }
}

function patient(ward: Ward): WorkflowDefinition {
  return workflow("patient", { version: 1 }, async (ctx, acts: readonly Act[]) => {
    const held = await ctx.variable(limit, UNSET);
    const out: unknown[] = [];
    for (const [at, act] of acts.entries()) {
      out.push((await ctx.step(`s${at}`, () => ward.visit(at), { retry: false })) ?? null);
      if (act.wait !== "none") await ctx.waitFor(`go-${at}`);
    }
    return { out, limit: held.value };
  }) as WorkflowDefinition;
}

const TROUBLES = ["none", "none", "fail", "complete", "skip"] as const;
const WAITS = ["none", "go", "pause", "set", "terminate"] as const;

function draw(below: Below): readonly Act[] {
  const steps = Array.from({ length: 3 + below(3) }, (_, at): Act => {
    const trouble = TROUBLES[below(TROUBLES.length)] ?? "none";
    const from = trouble === "fail" && below(2) === 0 ? below(at + 1) : -1;
    return { do: "step", trouble, from, wait: WAITS[below(WAITS.length)] ?? "none" };
  });
  const fork: readonly Act[] = below(2) === 0 ? [{ do: "fork", from: below(steps.length) }] : [];
  return [...steps, ...fork, { do: "delete" }];
}

/** What the run is to give. */
class Model {
  readonly out: unknown[] = [];
  /** By step behind which it was set. */
  readonly sets = new Map<number, number>();

  /** The run begins again at a step, in a world that is another. */
  ledBack(from: number, shift: number): void {
    for (let at = from; at < this.out.length; at++) this.out[at] = `${at}/${shift}`;
    for (const at of [...this.sets.keys()]) if (at >= from) this.sets.delete(at);
  }

  get result(): object {
    return { out: [...this.out], limit: [...this.sets.values()].at(-1) ?? UNSET };
  }
}

/** The operator of one run. */
class Operator {
  readonly problems: string[] = [];
  readonly #cluster: TestCluster;
  readonly #run: Run;
  readonly #ward: Ward;
  readonly #model = new Model();

  constructor(cluster: TestCluster, run: Run, ward: Ward) {
    this.#cluster = cluster;
    this.#run = run;
    this.#ward = ward;
  }

  async mend(at: number, act: Act): Promise<void> {
    await this.#past(at, textOf(act, "trouble"), numberOf(act, "from"));
    const wait = textOf(act, "wait");
    if (wait === "none") return;
    if (wait !== "go") await this.#comesTo(`go-${at}#0`);
    await this.#during(at, wait);
    await this.#run.signal(`go-${at}`);
  }

  async #past(at: number, trouble: string, from: number): Promise<void> {
    const [run, ward] = [this.#run, this.#ward];
    this.#model.out.push(`${at}/${ward.shift}`);
    // What stands behind what in the log decides what a retry or a fork takes along.
    if (trouble === "complete" || trouble === "skip") await this.#comesTo(`s${at}#0`);
    if (trouble === "complete") {
      await run.completeStep(`s${at}`, "by hand");
      this.#model.out[at] = "by hand";
    } else if (trouble === "skip") {
      await run.completeStep(`s${at}`);
      this.#model.out[at] = null;
    } else if (trouble === "fail") {
      await this.#ends("failed");
      ward.closed.delete(at);
      if (from >= 0) {
        ward.shift += 1;
        this.#model.ledBack(from, ward.shift);
        await run.retry({ from: `s${from}` });
      } else await run.retry();
    }
    ward.hanging.delete(at);
  }

  async #during(at: number, wait: string): Promise<void> {
    const run = this.#run;
    if (wait === "pause") {
      await run.pause({ reason: "rounds" });
      await this.#until("its pause", async () => (await run.describe()).status === "paused");
      await run.resume();
    } else if (wait === "set") {
      await run.setVariable(limit, 10 + at);
      this.#model.sets.set(at, 10 + at);
    } else if (wait === "terminate") {
      await run.terminate();
      await this.#ends("failed");
      await run.retry();
    }
  }

  async conclude(acts: readonly Act[], steps: readonly Act[]): Promise<void> {
    const run = this.#run;
    await this.#ends("completed");
    this.#gives("the run", await run.result());
    await this.#recordedOnce(run);
    for (const act of acts) {
      if (act.do === "fork") await this.#fork(numberOf(act, "from"), steps);
      else await this.#delete(run);
    }
  }

  async #fork(from: number, steps: readonly Act[]): Promise<void> {
    this.#ward.shift += 1;
    const fork = await this.#run.fork({ from: `s${from}`, runId: FORK_ID });
    this.#model.ledBack(from, this.#ward.shift);
    for (const [at, { wait }] of steps.entries()) if (at >= from && wait !== "none") await fork.signal(`go-${at}`);
    this.#gives("the fork", await fork.result());
    await this.#recordedOnce(fork);
  }

  async #delete(run: Run): Promise<void> {
    await run.delete();
    await pause(this.#cluster, STRAGGLERS_MS);
    await this.#cluster.time.untilIdle();
    const code = await run.describe().then(
      ({ status }) => status,
      (error: unknown) => String((error as { readonly code?: unknown }).code ?? error),
    );
    if (code !== "WORKFLOW_NOT_FOUND") this.problems.push(`the deleted run is ${code}`);
    const listed = await Array.fromAsync(this.#cluster.workflows.list());
    if (listed.some(({ runId }) => runId === run.runId)) this.problems.push("the deleted run is listed");
  }

  /** Waits until the body waits for the answer of a call. */
  #comesTo(call: string): Promise<void> {
    return this.#until(call, async () => (await this.#run.pending()).some(({ path }) => path === call));
  }

  async #ends(status: string): Promise<void> {
    const ended = await this.#run.wait();
    if (ended.status !== status)
      throw new Error(`the run is ${ended.status}, and is to have ${status}: ${JSON.stringify(ended)}`);
  }

  #gives(what: string, result: unknown): void {
    const { result: wanted } = this.#model;
    if (!isDeepStrictEqual(result, wanted))
      this.problems.push(`${what} gives ${JSON.stringify(result)}, and is to give ${JSON.stringify(wanted)}`);
  }

  async #recordedOnce(run: Run): Promise<void> {
    const paths = (await run.exportHistory()).records.map(({ path }) => path);
    if (new Set(paths).size !== paths.length)
      this.problems.push(`a path of ${run.runId} is recorded twice: ${paths.join(", ")}`);
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (let look = 0; look < LOOKS; look++) {
      if (await holds()) return;
      await pause(this.#cluster, LOOK_MS);
    }
    throw new Error(`the run has not come to ${what} within ${LOOKS * LOOK_MS} ms`);
  }
}

function stage(acts: readonly Act[]): Stage {
  const ward = new Ward();
  const steps = acts.filter((act) => act.do === "step");
  for (const [at, { trouble }] of steps.entries()) {
    if (trouble === "fail") ward.closed.add(at);
    if (trouble === "complete" || trouble === "skip") ward.hanging.add(at);
  }
  const play = async (cluster: TestCluster): Promise<readonly ProgramFinding[]> => {
    const run = await cluster.workflows.start("patient", steps, { runId: RUN_ID });
    const operator = new Operator(cluster, run, ward);
    for (const [at, act] of steps.entries()) await operator.mend(at, act);
    await operator.conclude(
      acts.filter((act) => act.do !== "step"),
      steps,
    );
    return operator.problems.map((message) => ({ invariant: "mended", message }));
  };
  return { workflows: [patient(ward)], play };
}

export const MENDING: ScenarioKind = { name: "mending", focus: RUN_ID, spares: ["cancel"], draw, stage };
