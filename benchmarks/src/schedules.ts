/**
 * 10,000 schedules: what the leader and a follower use while none of them is due, beside what they use without schedules; and how late occurrences are when they are spread over
 * some seconds. Lateness is from an occurrence to the moment at which the leader hears of its run, which is committed then.
 */
import { Child } from "./child-process.ts";
import type { Window } from "./nodes/schedules-node.ts";

const SCHEDULES = 10_000;
const DAY_MS = 24 * 3_600_000;
/** All schedules are due once in this time. */
const SPREAD_MS = 20_000;

/** The lines `schedules`. */
export async function* schedules(folder: string, durationMs: number): AsyncGenerator<object> {
  const children = [1, 2, 3].map(() => new Child("./nodes/schedules-node.ts"));
  try {
    const [leader, follower] = children as [Child, Child];
    let address: string | undefined;
    for (const [at, child] of children.entries()) {
      const join = address === undefined ? {} : { join: address };
      address = await child.call<string>("start", { folder, name: `schedules-${at}`, ...join });
    }
    await leader.call("lead");
    const idle = async (): Promise<object> => {
      const [first, second] = await Promise.all(
        [leader, follower].map((child) => child.call<Window>("window", { ms: durationMs, runs: 0 })),
      );
      return { leaderCpuPercent: first?.cpuPercent, followerCpuPercent: second?.cpuPercent };
    };
    yield { bench: "schedules", schedules: 0, ...(await idle()) };
    await leader.call("create", { count: SCHEDULES, everyMs: DAY_MS });
    yield { bench: "schedules", schedules: SCHEDULES, ...(await idle()) };
    await leader.call("update", { count: SCHEDULES, everyMs: SPREAD_MS });
    const { cpuPercent, ...seen } = await leader.call<Window>("window", { ms: SPREAD_MS, runs: SCHEDULES });
    yield { bench: "schedules", perSecond: SCHEDULES / (SPREAD_MS / 1000), leaderCpuPercent: cpuPercent, ...seen };
  } finally {
    await Promise.all(children.map((child) => child.kill()));
  }
}
