/**
 * The testing kit on one core: how long a test cluster takes to start, how many simulated runs a second there are, each on a cluster of its own, and what
 * virtual time costs: runs on a test cluster of one node against the same runs on a node in memory with the platform's clock.
 *
 * `cpuMs` is processor time of this process, which a busy machine changes less than the time that passes.
 */
import { RaftoralNode, type Workflows, workflow } from "raftoral";
import { simulate, TestCluster } from "raftoral/testing";
import { percentile, rounded } from "./statistics.ts";

const SIZES = [1, 3, 7];
const STARTS = 30;
const SIMULATED = 60;
const STEPS = 10;
const RUNS = 200;
const WARM_UP = 20;

const steps = workflow("steps", { version: 1 }, async (ctx) => {
  for (let at = 0; at < STEPS; at++) await ctx.step("step", () => at);
});

/** See the file's head. Its measurements have numbers of their own, not lengths. */
export async function* testingKit(): AsyncGenerator<object> {
  for (const nodes of SIZES) yield await starts(nodes);
  yield await simulated();
  yield await overhead();
}

/** What one call takes, in milliseconds that pass and milliseconds of processor time. */
async function timed(call: () => Promise<unknown>): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const cpu = process.cpuUsage();
  const began = performance.now();
  await call();
  const { user, system } = process.cpuUsage(cpu);
  return { ms: performance.now() - began, cpuMs: (user + system) / 1_000 };
}

async function starts(nodes: number): Promise<object> {
  const startAndStop = async (): Promise<void> => (await TestCluster.start({ nodes, workflows: [steps] })).stop();
  const taken: { readonly ms: number; readonly cpuMs: number }[] = [];
  for (let at = 0; at < WARM_UP + STARTS; at++) taken.push(await timed(startAndStop));
  const counted = taken.slice(WARM_UP);
  const p50 = (values: readonly number[]): number => rounded(percentile(values, 0.5), 2);
  const startP50Ms = p50(counted.map(({ ms }) => ms));
  const startP50CpuMs = p50(counted.map(({ cpuMs }) => cpuMs));
  return { bench: "testing-kit", what: "start", nodes, startP50Ms, startP50CpuMs };
}

async function simulated(): Promise<object> {
  const run = (seeds: number) => simulate(steps, { input: undefined, seeds });
  await run(WARM_UP);
  const { ms, cpuMs } = await timed(() => run(SIMULATED));
  const perSecond = rounded((SIMULATED * 1_000) / ms, 1);
  return { bench: "testing-kit", what: "simulate", perSecond, cpuMsPerRun: rounded(cpuMs / SIMULATED, 2) };
}

async function overhead(): Promise<object> {
  await using cluster = await TestCluster.start({ nodes: 1, workflows: [steps] });
  await using node = await RaftoralNode.start({
    listen: "127.0.0.1:0",
    bootstrap: true,
    workflows: [steps],
    tls: false,
  });
  const virtual: number[] = [];
  const real: number[] = [];
  // Alternately, so that what else the machine does meets both.
  for (let round = 0; round < 8; round++) {
    virtual.push((await timed(() => runAll(cluster.workflows))).cpuMs);
    real.push((await timed(() => runAll(node.workflows))).cpuMs);
  }
  const perRun = (values: readonly number[]): number => percentile(values.slice(1), 0.5) / RUNS;
  const [virtualCpuMs, realCpuMs] = [perRun(virtual), perRun(real)];
  const ratio = rounded(virtualCpuMs / realCpuMs, 2);
  const figures = { virtualCpuMsPerRun: rounded(virtualCpuMs), realCpuMsPerRun: rounded(realCpuMs), ratio };
  return { bench: "testing-kit", what: "virtual time", steps: STEPS, ...figures };
}

async function runAll(workflows: Workflows): Promise<void> {
  for (let at = 0; at < RUNS; at++) await (await workflows.start(steps)).result();
}
