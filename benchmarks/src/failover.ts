/**
 * Failover as a workflow feels it: the process that leads and owns a run which records a step every few milliseconds is killed
 * with SIGKILL; measured until another node has recorded the run's next step. It includes noticing the silence, the election,
 * the reassignment, the replay and one commit. The killed process is restarted before the next kill.
 */
import { percentile, rounded } from "./statistics.ts";
import { Trio } from "./trio.ts";

const KILLS = 10;
const LIMIT_MS = 30_000;

/** Kills the owner of a run several times. Yields one result: the times until another node has recorded the next step. */
export async function* failover(folder: string): AsyncGenerator<object> {
  const tookMs: number[] = [];
  await using trio = await Trio.start(folder, "failover");
  for (let kill = 0; kill < KILLS; kill++) tookMs.push(await once(trio, kill));
  yield {
    bench: "failover",
    kills: KILLS,
    p50Ms: rounded(percentile(tookMs, 0.5), 0),
    maxMs: rounded(Math.max(...tookMs), 0),
  };
}

async function once(trio: Trio, kill: number): Promise<number> {
  const victim = kill % 3;
  const survivors = [0, 1, 2].filter((at) => at !== victim).map((at) => trio.child(at));
  const run = `pulse-${kill}`;
  await trio.child(victim).call("lead");
  await trio.child(victim).call("startPulse", run);
  const dead = await trio.child(victim).call<number>("nodeId");
  const beating = trio.child(victim).call("continued", { run, dead: 0 });
  const continued = survivors.map((child) => child.call<number>("continued", { run, dead }));
  await beating;
  const killedAt = Date.now();
  await trio.child(victim).kill();
  const limit = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`kill ${kill}: the run did not go on within ${LIMIT_MS} ms`)), LIMIT_MS).unref();
  });
  const continuedAt = await Promise.race([...continued, limit]);
  // A node that hears of it later, or never, is not waited for.
  for (const late of continued) late.catch(() => {});
  await trio.restart(victim);
  await trio.child(victim).call("cancel", run);
  return continuedAt - killedAt;
}
