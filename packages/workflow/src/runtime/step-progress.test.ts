import { describe, expect, test } from "vitest";
import type { StepTimeoutError } from "../author/errors/errors.ts";
import { TerminalError } from "../author/errors/errors.ts";
import { workflow } from "../author/workflow.ts";
import type { StepContext, StepOptions } from "../author/workflow-context.ts";
import type { WorkflowCommand } from "../commands/registry.ts";
import { HandClock } from "../testing/hand-clock.ts";
import { Latch, type World, world } from "../testing/workflow-world.ts";

/** A workflow of one step, which notes its attempts. */
function single(attempts: string[], fn: (step: StepContext, nodeId: number) => unknown, options?: StepOptions) {
  return workflow("single", { version: 1 }, async (ctx) => {
    const done = (step: StepContext): string => {
      attempts.push(`${step.attempt} on ${ctx.nodeId}`);
      return fn(step, ctx.nodeId) as string;
    };
    return await ctx.step("s", done, options);
  });
}

/** Takes a node away, and gives its runs to others. */
function lose(w: World, nodeId: number): void {
  w.kill(nodeId);
  w.runtimes.delete(nodeId);
  w.cluster.reportLost(nodeId);
}

/** What the log has of a kind, as the commands of node 1. */
function proposed(w: World, kind: WorkflowCommand["kind"]): readonly WorkflowCommand[] {
  const { executor } = w.cluster.node(1);
  return w.cluster.log.map((bytes) => executor.decode(bytes)).filter((command) => command.kind === kind);
}

const no = (): never => {
  throw new Error("no");
};

describe("a step without a policy", () => {
  test("is tried five times within three seconds, and fails with the last error", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world([1]), new HandClock(), []];
    const body = single(attempts, no);
    await w.startAll([body], { clock, random: () => 0 });
    const run = await w.runtime(1).startWorkflow(body, undefined);
    const result = run.result().catch((error: unknown) => error);
    const counts: number[] = [];
    for (const ms of [0, 199, 1, 400, 800, 1_599, 1]) {
      await clock.advance(ms);
      counts.push(attempts.length);
    }
    expect(counts).toEqual([1, 1, 2, 3, 4, 4, 5]);
    expect(await result).toMatchObject({
      message: expect.stringContaining("Step s#0 was tried 5 times and failed: no"),
    });
  });

  test("is tried once with `retry: false`, and never again after a TerminalError", async () => {
    const w = world([1]);
    const [once, terminal]: [string[], string[]] = [[], []];
    const body = workflow("both", { version: 1 }, async (ctx) => {
      const tried = async (attempts: string[], error: Error, options?: StepOptions): Promise<void> => {
        const failing = ({ attempt }: StepContext): void => {
          attempts.push(String(attempt));
          throw error;
        };
        await ctx.step("s", failing, options).catch(() => {});
      };
      await tried(once, new Error("no"), { retry: false });
      await tried(terminal, new TerminalError("never"));
    });
    await w.startAll([body]);
    await (await w.runtime(1).startWorkflow(body, undefined)).result();
    expect([once, terminal]).toEqual([["1"], ["1"]]);
  });
});

describe("retryIf", () => {
  test("decides with the error and the attempt's number, and what it throws ends the step", async () => {
    const w = world([1]);
    const asked: unknown[] = [];
    const body = workflow("asks", { version: 1 }, async (ctx) => {
      const retry = {
        initialDelay: 0,
        retryIf: (error: unknown, attempt: number) => asked.push([String(error), attempt]) < 2,
      };
      const first = await ctx.step("first", no, { retry }).catch((error: Error) => error.message);
      const broken = {
        initialDelay: 0,
        retryIf: () => {
          throw new Error("cannot tell");
        },
      };
      const second = await ctx.step("second", no, { retry: broken }).catch((error: Error) => error.message);
      return [first, second];
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    expect(await run.result()).toEqual([
      expect.stringContaining("was tried 2 times and failed: no"),
      expect.stringContaining("was tried once and failed: cannot tell"),
    ]);
    expect(asked).toEqual([
      ["Error: no", 1],
      ["Error: no", 2],
    ]);
  });
});

describe("attempts that have failed", () => {
  test("are counted by the next owner, which waits for the rest of the delay (step-attempts.ts AT1)", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world(), new HandClock(), []];
    const body = single(attempts, ({ attempt }) => (attempt < 3 ? no() : `attempt ${attempt}`), {
      retry: { attempts: 3, initialDelay: "10s", factor: 1, jitter: 0 },
    });
    await w.startAll([body], { clock });
    await w.runtime(3).startWorkflow(body, undefined, { id: "r" });
    await clock.advance(10_000);
    expect(attempts).toEqual(["1 on 3", "2 on 3"]);
    expect(await w.cluster.node(1).engine.progress("r", 10)).toMatchObject([
      { path: "s#0", attempts: 2, error: { message: "no" }, nextAtMs: clock.wallMs() + 10_000 },
    ]);
    await clock.advance(4_000);
    lose(w, 3);
    await clock.advance(5_999);
    expect(attempts).toHaveLength(2);
    await clock.advance(1);
    expect(attempts).toEqual(["1 on 3", "2 on 3", "3 on 1"]);
    expect(await w.runtime(1).result("r")).toBe("attempt 3");
    expect(await w.cluster.node(1).engine.progress("r", 10)).toEqual([]);
  });

  test("are committed before the next one begins (step-attempts.ts AT1)", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world([1]), new HandClock(), []];
    const body = single(attempts, ({ attempt }) => (attempt < 2 ? no() : "done"), {
      retry: { initialDelay: 0 },
    });
    await w.startAll([body], { clock });
    let isCutOff = true;
    w.cluster.node(1).fault = ({ kind }) => (kind === "StepProgress" && isCutOff ? "lost" : "none");
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await clock.advance(60_000);
    expect(attempts).toHaveLength(1);
    isCutOff = false;
    await clock.advance(60_000);
    expect(await run.result()).toBe("done");
  });

  test("beyond what the code allows now end the step with the recorded error on the next owner", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world(), new HandClock(), []];
    const retry = { initialDelay: "10s", jitter: 0 };
    const before = single(attempts, no, { retry });
    const after = single(attempts, no, { retry: { ...retry, attempts: 1 } });
    await w.startAll([after], { clock });
    w.runtimes.get(3)?.stop();
    await w.start(3, [before], { clock }).registered;
    await w.runtime(3).startWorkflow(before, undefined, { id: "r" });
    await clock.advance(0);
    lose(w, 3);
    await clock.advance(10_000);
    await expect(w.runtime(1).result("r")).rejects.toThrow("was tried once and failed: no");
    expect(attempts).toEqual(["1 on 3"]);
  });

  test("cost a step that succeeds at once nothing (step-attempts.ts AT2)", async () => {
    const w = world([1]);
    const body = single([], () => "done");
    await w.startAll([body]);
    await (await w.runtime(1).startWorkflow(body, undefined)).result();
    expect(proposed(w, "StepProgress")).toEqual([]);
  });

  test("leave a body that waits for the next one without a slot, and a drain waits for none of it (step-attempts.ts AT3)", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world(), new HandClock(), []];
    const body = single(attempts, ({ attempt }) => (attempt < 2 ? no() : "done"), {
      retry: { initialDelay: "1h", maxDelay: "1h", jitter: 0 },
    });
    const other = workflow("other", { version: 1 }, async () => "ran");
    await w.startAll([body, other], { clock, limits: { maxRunningBodies: 1 } });
    await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await clock.advance(0);
    expect(attempts).toEqual(["1 on 2"]);
    const run = await w.runtime(2).startWorkflow(other, undefined);
    await clock.advance(0);
    expect(await run.result()).toBe("ran");
    await w.runtime(2).drain();
    await clock.advance(3_600_000);
    await clock.advance(0);
    expect(attempts).toEqual(["1 on 2", expect.stringMatching("2 on [13]")]);
    expect(await w.runtime(1).result("r")).toBe("done");
  });

  test("end with the cancellation of the run, which waits for no delay", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world([1]), new HandClock(), []];
    const body = single(attempts, no, { retry: { initialDelay: "1h" } });
    await w.startAll([body], { clock });
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await clock.advance(0);
    await run.cancel("enough");
    await clock.advance(0);
    await expect(run.result()).rejects.toThrow("enough");
    expect(attempts).toHaveLength(1);
  });
});

describe("the deadline over all attempts", () => {
  test("cuts an attempt off, and aborts its signal", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world([1]), new HandClock(), []];
    const reasons: unknown[] = [];
    const body = single(
      attempts,
      ({ signal, attempt }) => {
        if (attempt === 1) return no();
        signal.addEventListener("abort", () => reasons.push((signal.reason as StepTimeoutError).kind));
        return new Promise(() => {});
      },
      { retry: { initialDelay: "1s", jitter: 0 }, totalTimeout: "10s" },
    );
    await w.startAll([body], { clock });
    const run = await w.runtime(1).startWorkflow(body, undefined);
    const result = run.result().catch((error: Error) => error);
    await clock.advance(9_999);
    expect([attempts.length, reasons]).toEqual([2, []]);
    await clock.advance(1);
    expect(reasons).toEqual(["total"]);
    const failed = await result;
    expect(failed).toMatchObject({ message: expect.stringContaining("within 10000 ms over all of its attempts") });
    expect(failed).toMatchObject({ failure: { code: "STEP_TIMEOUT" } });
  });

  test("ends a step at once whose next attempt would begin after it, with the attempt's own error", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world([1]), new HandClock(), []];
    const body = single(attempts, no, { retry: { initialDelay: "10s", jitter: 0 }, totalTimeout: "10s" });
    await w.startAll([body], { clock });
    const run = await w.runtime(1).startWorkflow(body, undefined);
    const result = run.result().catch((error: Error) => error);
    await clock.advance(0);
    expect(await result).toMatchObject({ message: expect.stringContaining("was tried once and failed: no") });
  });

  test("counts from the beginning of the first attempt on the next owner, too (step-attempts.ts AT4)", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world(), new HandClock(), []];
    const body = single(attempts, () => new Promise(() => {}), { totalTimeout: "10s" });
    await w.startAll([body], { clock });
    await w.runtime(3).startWorkflow(body, undefined, { id: "r" });
    await clock.advance(7_000);
    lose(w, 3);
    await clock.advance(2_999);
    expect(attempts).toEqual(["1 on 3", "1 on 1"]);
    const result = w
      .runtime(1)
      .result("r")
      .catch((error: Error) => error);
    await clock.advance(1);
    expect(await result).toMatchObject({ failure: { code: "STEP_TIMEOUT" } });
  });
});

describe("heartbeats", () => {
  test("keep an attempt alive; one that falls silent is aborted and tried again", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world([1]), new HandClock(), []];
    const kinds: unknown[] = [];
    const beats: (() => void)[] = [];
    const body = single(
      attempts,
      (step) => {
        if (step.attempt === 2) return "done";
        beats.push(() => step.heartbeat());
        step.signal.addEventListener("abort", () => kinds.push((step.signal.reason as StepTimeoutError).kind));
        return new Promise(() => {});
      },
      { retry: { initialDelay: 0 }, heartbeatTimeout: "10s" },
    );
    await w.startAll([body], { clock });
    const run = await w.runtime(1).startWorkflow(body, undefined);
    for (let beat = 0; beat < 5; beat++) {
      await clock.advance(9_000);
      beats[0]?.();
    }
    await clock.advance(9_999);
    expect([attempts.length, kinds]).toEqual([1, []]);
    await clock.advance(1);
    await clock.advance(0);
    expect(kinds).toEqual(["heartbeat"]);
    expect(await run.result()).toBe("done");
    // Without details there is nothing to record but the failure.
    expect(proposed(w, "StepProgress")).toHaveLength(1);
  });

  test("give their details to the next owner's attempt", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world(), new HandClock(), []];
    const body = single(attempts, (step, nodeId) => {
      if (nodeId !== 3) return step.heartbeatDetails;
      step.heartbeat({ done: 17 });
      return new Promise(() => {});
    });
    await w.startAll([body], { clock });
    await w.runtime(3).startWorkflow(body, undefined, { id: "r" });
    await clock.advance(0);
    lose(w, 3);
    await clock.advance(0);
    expect(await w.runtime(1).result("r")).toEqual({ done: 17 });
    expect(attempts).toEqual(["1 on 3", "1 on 1"]);
  });

  test("are committed at once and then once in an interval, and the latest with the failure of the attempt (heartbeats.ts HB1)", async () => {
    const [w, clock, attempts]: [World, HandClock, string[]] = [world([1]), new HandClock(), []];
    const failing = new Latch();
    let held: StepContext | undefined;
    const body = single(
      attempts,
      async (step) => {
        if (step.attempt === 2) return step.heartbeatDetails;
        held = step;
        for (let done = 1; done <= 3; done++) step.heartbeat(done);
        await failing.opened;
        step.heartbeat(99);
        throw new Error("no");
      },
      { retry: { initialDelay: "1m", maxDelay: "1h", jitter: 0 } },
    );
    await w.startAll([body], { clock });
    const run = await w.runtime(1).startWorkflow(body, undefined);
    const details = (): readonly string[] =>
      proposed(w, "StepProgress").map((command) =>
        Buffer.from((command as { details: Uint8Array }).details).toString(),
      );
    await clock.advance(4_999);
    expect(details()).toEqual(["1"]);
    await clock.advance(1);
    expect(details()).toEqual(["1", "3"]);
    held?.heartbeat(3);
    await clock.advance(60_000);
    expect(details()).toEqual(["1", "3"]);
    failing.open();
    await clock.advance(0);
    expect(details().at(-1)).toBe("99");
    // The attempt is over (heartbeats.ts HB2).
    held?.heartbeat(100);
    const before = details().length;
    await clock.advance(60_000);
    expect(details()).toHaveLength(before);
    expect(await run.result()).toBe(99);
  });

  test("with details that are too large or cannot be recorded throw in the step", async () => {
    const w = world([1]);
    const codes: unknown[] = [];
    const body = single([], (step) => {
      for (const details of ["x".repeat(65_536), Number.NaN]) {
        try {
          step.heartbeat(details);
        } catch (error) {
          codes.push((error as { code: unknown }).code);
        }
      }
      return "done";
    });
    await w.startAll([body]);
    expect(await (await w.runtime(1).startWorkflow(body, undefined)).result()).toBe("done");
    expect(codes).toEqual(["PAYLOAD_TOO_LARGE", "VALUE_NOT_SERIALIZABLE"]);
  });
});
