// @module-tag slow
import { query, signal, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { simulate } from "./simulate.ts";

const SEEDS = 50;
const ticks = { a: signal<number>("tick-a"), b: signal<number>("tick-b") };
const course = query<readonly string[]>("course");

test("queries show a course that only gets longer, on any node, whatever happens to owners", async () => {
  const body = workflow("asked", { version: 1 }, async (ctx) => {
    const seen: string[] = [];
    ctx.onQuery(course, () => seen);
    const branches = (["a", "b"] as const).map((name) =>
      ctx.scope(name, async (own) => {
        for (let at = 0; at < 3; at++) {
          seen.push(`${name}${await own.step("work", () => at)}`);
          seen.push(`${name} ${await own.waitFor(ticks[name])}`);
        }
      }),
    );
    await Promise.all(branches);
    return seen;
  });
  let answers = 0;
  await simulate(body, {
    input: undefined,
    seeds: SEEDS,
    during: async (run) => {
      let before: readonly string[] = [];
      for (let at = 0; at < 6; at++) {
        const now = await run.query(course);
        expect(now.slice(0, before.length)).toEqual(before);
        before = now;
        answers += 1;
        await run.signal(at % 2 === 0 ? ticks.a : ticks.b, at);
      }
      const ended = await run.wait();
      if (ended.status !== "completed") return;
      expect(await run.query(course)).toEqual(ended.result.value());
    },
    check: ({ status, wasCancelled }) => {
      if (!wasCancelled) expect(status).toBe("completed");
    },
  });
  expect(answers).toBeGreaterThan(200);
});
