import type { Logger } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import { Latch, world } from "../testing/workflow-world.ts";

type Line = Readonly<Record<string, unknown>>;

/** A logger that keeps its lines. */
function kept(): { readonly lines: Line[]; readonly logger: Logger } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, message, ...fields });
  return { lines, logger: { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") } };
}

describe("ctx.log", () => {
  test("says which run wrote, and where (RL2)", async () => {
    const [w, { lines, logger }] = [world([1]), kept()];
    const body = workflow("tells", { version: 1 }, async (ctx) => {
      ctx.log.info("begins");
      await ctx.scope("parcel", async (parcel) => {
        parcel.log.debug({ weight: 3 }, "weighed");
        await parcel.step("label", (step) => ctx.log.warn({ attempt: "mine", key: step.attempt }, "labels"));
      });
      ctx.log.error({ err: new Error("no") }, "ends");
    });
    await w.startAll([body], { logger });
    await (await w.runtime(1).startWorkflow(body, undefined, { id: "r" })).result();
    const run = { runId: "r", workflowType: "tells" };
    expect(lines.filter(({ runId }) => runId === "r")).toEqual([
      { level: "info", message: "begins", ...run },
      { level: "debug", message: "weighed", weight: 3, path: "parcel", ...run },
      { level: "warn", message: "labels", key: 1, path: "parcel/label#0", attempt: 1, ...run },
      { level: "error", message: "ends", err: expect.objectContaining({ message: "no" }), ...run },
    ]);
  });

  test("writes a line once, and again only what follows the last record (RL1)", async () => {
    const [w, { lines, logger }] = [world(), kept()];
    const [stuck, begun] = [new Latch(), new Latch()];
    const body = workflow("moves", { version: 1 }, async (ctx) => {
      const write = (text: string): void => ctx.log.info(`${text} on ${ctx.nodeId}`);
      write("before all");
      await ctx.step("a", () => write("a"));
      write("after a");
      await Promise.all(
        ["b", "c"].map(async (name) => {
          await ctx.step(name, () => {});
          write(`after ${name}`);
        }),
      );
      write("after both");
      await ctx.step("d", async () => {
        write("d");
        if (ctx.nodeId !== 3) return;
        begun.open();
        await stuck.opened;
      });
      write("after d");
    });
    await w.startAll([body], { logger });
    await w.runtime(3).startWorkflow(body, undefined, { id: "r" });
    await begun.opened;
    w.kill(3);
    w.runtimes.delete(3);
    w.cluster.reportLost(3);
    await w.runtime(1).result("r");
    const on = (nodeId: number): readonly unknown[] =>
      lines.map(({ message }) => String(message)).filter((message) => message.endsWith(` on ${nodeId}`));
    expect(on(3)).toEqual(
      ["before all", "a", "after a", "after b", "after c", "after both", "d"].map((text) => `${text} on 3`),
    );
    expect(on(1)).toEqual(["after c", "after both", "d", "after d"].map((text) => `${text} on 1`));
  });

  test("never throws, and its lines are bounded (RL3)", async () => {
    const [w, { lines, logger }] = [world([1]), kept()];
    const body = workflow("odd", { version: 1 }, async ({ log }) => {
      const cycle: { self?: unknown } = {};
      cycle.self = cycle;
      log.info(cycle, "a cycle");
      log.info({ long: "x".repeat(20_000) }, "x".repeat(10_000));
      log.info(
        Object.defineProperty({}, "trap", {
          enumerable: true,
          get: () => {
            throw new Error("trap");
          },
        }),
        "a trap",
      );
      (log.info as (...given: unknown[]) => void)(null, Symbol("no text"));
      (log.info as (...given: unknown[]) => void)();
      log.warn("broken");
      return "fine";
    });
    const broken = (): never => {
      throw new Error("the disk is full");
    };
    await w.startAll([body], { logger: { ...logger, warn: broken } });
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    expect(await run.result()).toBe("fine");
    const written = lines.filter(({ runId }) => runId === "r");
    expect(written.map(({ message }) => String(message).length)).toEqual([7, 8_192, 6, 15, 0]);
    expect(written.slice(0, 3).map(({ leftOut }) => leftOut)).toEqual([
      expect.stringContaining("no JSON"),
      expect.stringContaining("at most 16384"),
      expect.stringContaining("trap"),
    ]);
    for (const line of written) expect(JSON.stringify(line).length).toBeLessThan(17_000);
  });
});
