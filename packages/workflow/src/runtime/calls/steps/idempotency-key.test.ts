import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { StepPaths } from "../../../author/step-path.ts";
import { workflow } from "../../../author/workflow.ts";
import { derivedSeed } from "../../../model/derived-seed.ts";
import { StateLog } from "../../../testing/state-log.ts";
import { Latch, world } from "../../../testing/workflow-world.ts";
import { idempotencyKey } from "./idempotency-key.ts";

const SEED = new Uint8Array(16).fill(7);

describe("an idempotency key", () => {
  test("is short and printable, and always the same for the same step", () => {
    const key = idempotencyKey({ runId: "order/17", seed: SEED }, "charge#0");
    expect(key).toMatch(/^rk_[a-z2-7]{26}$/);
    expect(idempotencyKey({ runId: "order/17", seed: SEED.slice() }, "charge#0")).toBe(key);
    // The format is a promise: keys that were given to outside systems stay.
    expect(key).toBe("rk_tcqfvgozuprbtm5ipycb2cbpqz");
  });

  test("differs between a run and a scope of another run that read alike", () => {
    const one = new StepPaths().next("charge");
    const other = new StepPaths().scope("17").next("charge");
    expect(`order/17/${one}`).toBe(`order/${other}`);
    expect(idempotencyKey({ runId: "order/17", seed: SEED }, one)).not.toBe(
      idempotencyKey({ runId: "order", seed: SEED }, other),
    );
  });

  test("differs wherever run, seed or path differ, whatever they are made of", () => {
    const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("a", "a/b", "b", '","', '["', "#0", "/"));
    const part = fc.record({ runId: text, seed: fc.uint8Array({ maxLength: 3 }), path: text });
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(part, ({ runId, seed, path }) => {
        const key = idempotencyKey({ runId, seed }, path);
        const parts = JSON.stringify([runId, [...seed], path]);
        expect(seen.get(key) ?? parts).toBe(parts);
        seen.set(key, parts);
      }),
      { numRuns: 5000 },
    );
  });

  test("is the same over attempts and owners, and another one when the id is used again", async () => {
    const w = world();
    const keys: string[] = [];
    const stuck = new Latch();
    const begun = new Latch();
    const charge = workflow("charge", { version: 1 }, async (ctx) => {
      await ctx.step(
        "charge",
        async (step) => {
          keys.push(step.idempotencyKey);
          if (step.attempt === 1) throw new Error("once more");
          if (ctx.nodeId !== 3) return;
          begun.open();
          await stuck.opened;
        },
        { retry: { attempts: 3, initialDelay: 1, jitter: 0 } },
      );
    });
    await w.startAll([charge]);
    const first = { kind: "WorkflowStart", runId: "order-17", workflowType: "charge", version: 1 } as const;
    const start = { ...first, input: new Uint8Array(0), owner: 3, atMs: 1, seed: SEED };
    await w.cluster.node(3).engine.propose(start);
    await begun.opened;
    w.kill(3);
    w.runtimes.delete(3);
    const ended = w.next("run-ended");
    w.cluster.reportLost(3);
    await ended;
    // Two attempts on the first owner, and the second of them again on the next.
    expect(keys).toHaveLength(3);
    expect(new Set(keys)).toEqual(new Set([idempotencyKey({ runId: "order-17", seed: SEED }, "charge#0")]));
    const { engine } = w.cluster.node(1);
    await engine.propose({
      kind: "Prune",
      keepAtMost: 0,
      atMs: 1,
      uptimeFromMs: 0,
      uptimeMs: 0,
      retentionMs: 1,
      rules: [],
    });
    const again = w.next("run-ended");
    await engine.propose({ ...start, owner: 1, seed: SEED.map((byte) => byte + 1) });
    await again;
    expect(new Set(keys).size).toBe(2);
  });
});

describe("the seed of a start that brings none", () => {
  function seedOf(incarnation: string, before = 0): string {
    const log = new StateLog();
    log.register(1, undefined, incarnation);
    for (let each = 0; each < before; each++) log.start(`before-${each}`);
    log.start("order-17");
    return Buffer.from(log.state.run("order-17")?.seed ?? []).toString("hex");
  }

  test("differs between clusters, for the same id at the same place of the log", () => {
    expect(seedOf("process-of-staging")).not.toBe(seedOf("process-of-production"));
    expect(seedOf("process")).toBe(seedOf("process"));
    expect(seedOf("process", 1)).not.toBe(seedOf("process"));
  });

  test("differs for texts that differ in little", () => {
    const seeds = new Set<string>();
    for (let index = 0; index < 50_000; index++) {
      seeds.add(Buffer.from(derivedSeed(`8f14e45f-ceea-467f-a9d1-2d6e3b0c1a11:${index}:order`)).toString("hex"));
    }
    expect(seeds.size).toBe(50_000);
    // Not in one half alone.
    for (const at of [0, 4, 8, 12]) {
      const parts = new Set([...seeds].map((seed) => seed.slice(at * 2, at * 2 + 8)));
      expect(parts.size).toBeGreaterThan(49_900);
    }
  });
});
