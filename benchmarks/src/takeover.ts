/**
 * A takeover of many runs: the process that leads and owns all of them, each waiting for a signal, is killed. Measured from the kill until every run has
 * another owner and its body has begun there; and how late the survivors' event loops were meanwhile, for a loop that stands still is taken for a dead node.
 */

import type { SeenTakeover } from "./nodes/workflow-node.ts";
import { rounded } from "./statistics.ts";
import { Trio } from "./trio.ts";

const RUNS = [10_000, 100_000];
const LIMIT_MS = 600_000;

/** The lines `takeover`. */
export async function* takeover(folder: string): AsyncGenerator<object> {
  for (const runs of RUNS) yield await once(folder, runs);
}

async function once(folder: string, runs: number): Promise<object> {
  await using trio = await Trio.start(folder, `takeover-${runs}`);
  const victim = trio.child(2);
  await victim.call("lead");
  await victim.call("startWaiting", runs);
  // On a busy machine the victim may have been taken for lost while it started them: what it has left is taken over.
  await victim.call("lead");
  const owned = await victim.call<number>("owned");
  const survivors = [0, 1].map((at) => trio.child(at).call<SeenTakeover>("takeover", owned));
  const killedAtMs = Date.now();
  await victim.kill();
  const limit = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`${owned} runs were not taken over within ${LIMIT_MS} ms`)), LIMIT_MS).unref();
  });
  const seen = await Promise.race([Promise.all(survivors), limit]);
  const after = (at: (one: SeenTakeover) => number) => Math.max(...seen.map(at)) - killedAtMs;
  return {
    bench: "takeover",
    runs: owned,
    lostAfterMs: after(({ lostAtMs }) => lostAtMs),
    movedAfterMs: after(({ movedAtMs }) => movedAtMs),
    begunAfterMs: after(({ begunAtMs }) => begunAtMs),
    begunByNode: seen.map(({ begun }) => begun),
    healthyNodesLost: Math.max(...seen.map(({ lost }) => new Set(lost).size)) - 1,
    longestDelayMs: rounded(Math.max(...seen.map(({ longestDelayMs }) => longestDelayMs)), 0),
  };
}
