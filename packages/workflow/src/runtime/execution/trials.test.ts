import { type Clock, RaftError, silentLogger } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import type { WorkflowCommand } from "../../commands/registry.ts";
import { RetryingProposer } from "../engine/retrying-proposer.ts";
import type { WorkflowEngine } from "../engine/workflow-engine.ts";
import { REST_MS, TRIAL_MS, Trials } from "./trials.ts";

/** A clock that the test moves, and what is proposed. */
class Setting {
  nowMs = 0;
  readonly told: string[] = [];
  isRefused = false;
  readonly trials: Trials;
  #timers: { readonly atMs: number; readonly fn: () => void }[] = [];

  constructor() {
    const clock: Clock = {
      wallMs: () => this.nowMs,
      monotonicMs: () => this.nowMs,
      every: () => () => {},
      soon: (fn) => queueMicrotask(fn),
      after: (ms, fn) => {
        const timer = { atMs: this.nowMs + ms, fn };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((each) => each !== timer);
        };
      },
    };
    const engine = {
      propose: async (command: WorkflowCommand) => {
        if (command.kind !== "Trial") throw new RaftError("NODE_STOPPED", "Only trials are proposed here.");
        this.told.push(`${command.runId} ${command.isOver ? "over" : "begins"}`);
        if (this.isRefused) return { ok: false, code: "STALE_OWNER", message: "The run has another owner." };
        return { ok: true, kind: "Done", changed: true };
      },
    } as unknown as WorkflowEngine;
    const proposer = new RetryingProposer(engine, clock);
    this.trials = new Trials({ nodeId: 1, clock, logger: silentLogger, proposer });
  }

  async pass(ms: number): Promise<void> {
    this.nowMs += ms;
    for (const { atMs, fn } of [...this.#timers]) if (atMs <= this.nowMs) fn();
    await settled();
  }
}

/** Everything that needs no timer has happened. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function of(setting: Setting, runId: string) {
  return setting.trials.of({ runId, epoch: 7 });
}

async function begun(setting: Setting, runId: string) {
  const trial = of(setting, runId);
  expect(await trial.turn).toBe(true);
  expect(await trial.begin()).toBe(true);
  return trial;
}

describe("trials of a node", () => {
  test("take place one at a time, in order, each told before its body begins (TL1, TL2)", async () => {
    const setting = new Setting();
    const first = await begun(setting, "a");
    const [second, third] = [of(setting, "b"), of(setting, "c")];
    const turns: string[] = [];
    void second.turn.then(() => turns.push("b"));
    void third.turn.then(() => turns.push("c"));
    await settled();
    expect([turns, setting.told]).toEqual([[], ["a begins"]]);
    first.over();
    await settled();
    expect(turns).toEqual(["b"]);
    expect(await second.begin()).toBe(true);
    second.over();
    await settled();
    expect([turns, setting.told]).toEqual([
      ["b", "c"],
      ["a begins", "b begins"],
    ]);
  });

  test("do not begin for a run that has gone, in the queue or while its beginning is told", async () => {
    const setting = new Setting();
    const first = await begun(setting, "a");
    const queued = of(setting, "b");
    queued.over();
    expect(await queued.turn).toBe(false);
    expect(await queued.begin()).toBe(false);
    first.over();
    const gone = of(setting, "c");
    const beginning = gone.begin();
    gone.over();
    expect(await beginning).toBe(false);
    setting.isRefused = true;
    const refused = of(setting, "d");
    expect(await refused.turn).toBe(true);
    expect(await refused.begin()).toBe(false);
  });

  test("are over once the body has been at rest for a while, which the state is told first (TL3)", async () => {
    const setting = new Setting();
    const trial = await begun(setting, "a");
    const next = of(setting, "b");
    trial.atRest(true);
    await setting.pass(REST_MS - 1);
    trial.atRest(false);
    await setting.pass(REST_MS);
    expect(setting.told).toEqual(["a begins"]);
    trial.atRest(true);
    await setting.pass(REST_MS);
    expect(setting.told).toEqual(["a begins", "a over"]);
    expect(await next.turn).toBe(true);
  });

  test("are over after a long time, whatever the body does (TL3)", async () => {
    const setting = new Setting();
    await begun(setting, "a");
    await setting.pass(TRIAL_MS - 1);
    expect(setting.told).toEqual(["a begins"]);
    await setting.pass(1);
    expect(setting.told).toEqual(["a begins", "a over"]);
  });

  test("of very many suspects take a bounded time (TL4)", async () => {
    const setting = new Setting();
    const many = Array.from({ length: 10_000 }, (_, i) => of(setting, `run-${i}`));
    for (const trial of many) {
      expect(await trial.turn).toBe(true);
      expect(await trial.begin()).toBe(true);
      trial.atRest(true);
      while (setting.told.at(-1)?.endsWith("begins")) await setting.pass(1);
    }
    // One after the other they would have waited for a second each.
    expect(setting.nowMs).toBeLessThan(150_000);
  });

  test("end in good order before a stop", async () => {
    const setting = new Setting();
    await setting.trials.settle();
    await begun(setting, "a");
    await setting.trials.settle();
    expect(setting.told).toEqual(["a begins", "a over"]);
  });
});
