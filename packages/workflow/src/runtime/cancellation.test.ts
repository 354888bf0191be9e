import { describe, expect, test } from "vitest";
import { CancelledError } from "../author/errors/errors.ts";
import { workflow } from "../author/workflow.ts";
import { Latch, world } from "../testing/workflow-world.ts";

const TEN = Array.from({ length: 10 }, (_, at) => at);

describe("a rejection by cancellation (call-site.ts CS3)", () => {
  /** Ten parallel reservations, each followed by a call that is not recorded; a catch that tells which were seen to be made. */
  function reservations(undone: Map<number, number[]>, wait: (nodeId: number) => void) {
    return workflow("reservations", { version: 1 }, async (ctx) => {
      const reserved: number[] = [];
      try {
        await Promise.all(
          TEN.map((at) =>
            ctx.scope("item", async (item) => {
              await item.step("reserve", () => at);
              reserved.push(at);
              await item.waitFor("confirm");
            }),
          ).concat([
            (async () => {
              await ctx.step("ready", () => "ready");
              wait(ctx.nodeId);
              await ctx.waitFor("go");
            })(),
          ]),
        );
      } catch (error) {
        undone.set(ctx.nodeId, [...reserved]);
        throw error;
      }
    });
  }

  test("comes after every recorded answer, when the owner dies after the cancel is committed", async () => {
    const undone = new Map<number, number[]>();
    const waiting = new Latch();
    const w = world();
    await w.startAll([reservations(undone, () => waiting.open())]);
    const all = Promise.all(
      TEN.map((at) =>
        w.next("record-committed", ({ path }) => path === (at === 0 ? "item/reserve#0" : `item#${at}/reserve#0`)),
      ),
    );
    await w.runtime(2).startWorkflow("reservations", undefined, { id: "r" });
    await all;
    await waiting.opened;
    // The owner hears nothing of the cancel: its body goes on as if it were not cancelled, and then it dies.
    w.cluster.node(2).connected = false;
    const cancelled = w.next("cancel-requested");
    await w.runtime(1).cancel("r", "enough");
    await cancelled;
    w.kill(2);
    w.cluster.reportLost(2);
    await expect(w.runtime(1).result("r")).rejects.toThrow("enough");
    const [owner] = [...undone.keys()].filter((nodeId) => nodeId !== 2);
    expect(undone.get(owner ?? 0)).toEqual(TEN);
  });

  test("waits for records that are on their way, on the first run as on a replay", async () => {
    const w = world([1]);
    const order: string[] = [];
    const node = w.cluster.node(1);
    const waiting = new Latch();
    const body = workflow("on-its-way", { version: 1 }, async (ctx) => {
      const first = ctx.step("first", () => 1).then(() => order.push("first"));
      const second = ctx.waitFor("never").catch(() => order.push("rejected"));
      waiting.open();
      await Promise.allSettled([first, second]);
      await ctx.step("more", () => 1);
    });
    await w.startAll([body]);
    // The record of `first` is in the log before the cancel, and its owner has to ask again to hear of it.
    let asked = 0;
    node.fault = (command) =>
      command.kind === "Checkpoint" && command.path === "first#0" && asked++ === 0 ? "applied-but-unknown" : "none";
    const committed = w.next("record-committed", ({ path }) => path === "first#0");
    await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await committed;
    await w.runtime(1).cancel("r", "enough");
    await expect(w.runtime(1).result("r")).rejects.toThrow("enough");
    expect(order).toEqual(["first", "rejected"]);
  });

  test("of a body that catches everything and tries again leaves the event loop its turns", async () => {
    const w = world([1]);
    let tries = 0;
    const stubborn = workflow("stubborn", { version: 1 }, async (ctx) => {
      for (;;) {
        try {
          await ctx.waitFor("never");
        } catch (error) {
          tries += 1;
          if (tries >= 1000) throw error;
        }
      }
    });
    await w.startAll([stubborn]);
    await w.runtime(1).startWorkflow(stubborn, undefined, { id: "r" });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      if (tries < 1000) setImmediate(count);
    };
    setImmediate(count);
    await w.runtime(1).cancel("r", "enough");
    await expect(w.runtime(1).result("r")).rejects.toThrow("enough");
    expect(turns).toBeGreaterThan(500);
  });
});

describe("a wait whose answer is the cancellation (wait-for.ts WF2)", () => {
  /** When the owner hears of the cancellation: while it records the deadline, while a signal is refused, or while the body has no place. */
  const cases: readonly (readonly [
    string,
    { readonly timeout?: number; readonly signals: number; readonly at: string },
  ])[] = [
    ["records no timeout", { timeout: 0, signals: 0, at: "go#0/deadline" }],
    ["consumes no signal that waits", { timeout: 60_000, signals: 1, at: "go#0/deadline" }],
    ["consumes no signal that comes with the cancellation", { timeout: 60_000, signals: 1, at: "signal" }],
    ["does not ask again for a signal that another wait took", { signals: 1, at: "receipt" }],
  ];
  test.each(cases)("%s", async (_, { timeout, signals, at }) => {
    const w = world([1]);
    const waiting = new Latch();
    const answers: unknown[] = [];
    const body = workflow("waits", { version: 1 }, async (ctx) => {
      const waits = [timeout === undefined ? ctx.waitFor("go") : ctx.waitFor("go", { timeout })];
      if (at === "receipt") waits.push(ctx.waitFor("go"));
      waiting.open();
      for (const answer of await Promise.allSettled(waits)) {
        answers.push(answer.status === "fulfilled" ? answer.value : (answer.reason as Error).name);
      }
    });
    await w.startAll([body]);
    const node = w.cluster.node(1);
    const seen: string[] = [];
    let isCancelled = false;
    node.fault = (command) => {
      if (isCancelled && (command.kind === "SignalReceive" || command.kind === "Checkpoint")) seen.push(command.path);
      const path = command.kind === "Checkpoint" ? command.path : command.kind === "SignalReceive" ? "receipt" : "";
      if (path !== at || isCancelled) return "none";
      isCancelled = true;
      // What is proposed first is first in the log: the owner hears of the cancellation before the record's fate.
      void w.runtime(1).cancel("r", "enough");
      return at === "receipt" ? "none" : "applied-but-unknown";
    };
    const recorded = w.next("record-committed", ({ path }) => path === "go#0/deadline");
    await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await waiting.opened;
    if (at === "signal") await recorded;
    for (let sent = 0; sent < signals; sent++) {
      const arrived = w.runtime(1).signal("r", "go", "taken");
      if (at === "signal") {
        isCancelled = true;
        void w.runtime(1).cancel("r", "enough");
      }
      await arrived.catch(() => {});
    }
    await w
      .runtime(1)
      .result("r")
      .catch(() => {});
    const known = seen.filter((path) => path !== at);
    expect([known, answers.filter((answer) => answer !== "CancelledError")]).toEqual([
      [],
      at === "receipt" ? ["taken"] : [],
    ]);
  });
});

describe("what a body throws (run-execution.ts B4)", () => {
  const revoked = (): object => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  };
  const hostile = (): object =>
    new Proxy(
      {},
      {
        get: () => {
          throw new Error("no");
        },
        getPrototypeOf: () => {
          throw new Error("no");
        },
      },
    );

  test.each([
    ["a revoked proxy", revoked],
    ["an object that throws when it is looked at", hostile],
    ["nothing", () => undefined],
  ])("fails the run and gives its place back, also %s, from a body and from a step", async (_, make) => {
    const w = world([1]);
    const throwing = workflow("throwing", { version: 1 }, () => {
      throw make();
    });
    const failing = workflow("failing", { version: 1 }, (ctx) =>
      ctx.step(
        "fails",
        () => {
          throw make();
        },
        { retry: false },
      ),
    );
    await w.startAll([throwing, failing], { limits: { maxRunningBodies: 1 } });
    for (const type of ["throwing", "failing", "throwing", "failing"]) {
      const run = await w.runtime(1).startWorkflow(type, undefined);
      await expect(run.result()).rejects.toMatchObject({ code: "WORKFLOW_FAILED" });
    }
    expect(w.runtime(1).load).toEqual({ owned: 0, queued: 0 });
  });

  test("while it cleans up a cancelled run is logged, and the run is cancelled all the same", async () => {
    const lines: { message: string; fields: object }[] = [];
    const warn = (fields: object, message: string): void => void lines.push({ fields, message });
    const w = world([1]);
    const waiting = new Latch();
    const body = workflow("cleans", { version: 1 }, async (ctx) => {
      try {
        waiting.open();
        await ctx.waitFor("go");
      } catch (error) {
        if (!(error instanceof CancelledError)) throw error;
        throw new RangeError("the shelf is gone");
      }
    });
    await w.startAll([body], { logger: { debug: () => {}, info: () => {}, warn, error: warn } });
    await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await waiting.opened;
    await w.runtime(1).cancel("r", "enough");
    await expect(w.runtime(1).result("r")).rejects.toMatchObject({ code: "WORKFLOW_CANCELLED" });
    expect(lines).toContainEqual(
      expect.objectContaining({
        fields: {
          runId: "r",
          workflowType: "cleans",
          error: expect.objectContaining({ message: "the shelf is gone" }),
        },
      }),
    );
  });
});
