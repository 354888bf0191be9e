/** What every implementation of `Workflows` does alike with runs that begin later: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { echo, go, idle } from "../conformance-workflows.ts";

const HOUR_MS = 3_600_000;

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function delayCases(subject: () => { readonly workflows: Workflows }): void {
  test("a delayed run is there at once, and begins after its delay or at its time", async () => {
    const { workflows } = subject();
    const run = await workflows.start(echo, "later", { runId: "delay-short", delayMs: 300 });
    expect(run.created).toBe(true);
    const { status, startsAtMs = 0, startedAtMs, owner } = await run.describe();
    expect([status, owner]).toEqual(["delayed", 0]);
    expect(startsAtMs - startedAtMs).toBeLessThanOrEqual(300);
    expect((await workflows.start(echo, "later", { runId: "delay-short", delayMs: 300 })).created).toBe(false);
    expect(await run.result()).toBe("later");
    expect(await run.describe()).toMatchObject({ status: "completed", startsAtMs: undefined, takeovers: 0 });
    const startAt = new Date(Date.now() + 300);
    const other = await workflows.start(echo, "then", { startAt });
    expect(await other.describe()).toMatchObject({ status: "delayed", startsAtMs: startAt.getTime() });
    expect(await other.result()).toBe("then");
    expect((await other.wait()).endedAtMs).toBeGreaterThanOrEqual(startAt.getTime());
    expect(await (await workflows.start(echo, "past", { startAt: new Date(0) })).result()).toBe("past");
  });

  test("a delayed run is found, signalled, begun at once, paused, cancelled and terminated", async () => {
    const { workflows } = subject();
    const later = { delayMs: HOUR_MS };
    const run = await workflows.start(idle, undefined, { ...later, runId: "delay-long" });
    const delayed = await Array.fromAsync(workflows.list({ status: "delayed" }));
    expect(delayed.map(({ runId }) => runId)).toEqual(["delay-long"]);
    expect(await workflows.counts()).toContainEqual({ workflowType: "idle", status: "delayed", runs: 1 });
    await run.signal(go);
    await run.pause();
    expect(await run.describe()).toMatchObject({ status: "paused", startsAtMs: undefined });
    await run.resume();
    expect(await run.describe()).toMatchObject({ status: "delayed", pendingSignals: ["go"] });
    await run.resume();
    expect(await run.result()).toBe("gone");
    const cancelled = await workflows.start(idle, undefined, later);
    await cancelled.cancel({ reason: "not needed" });
    expect(await cancelled.wait()).toMatchObject({ status: "cancelled", reason: "not needed" });
    const terminated = await workflows.start(idle, undefined, later);
    await terminated.terminate();
    expect(await terminated.wait()).toMatchObject({ status: "failed", error: { code: "RUN_TERMINATED" } });
  });

  test("what is no delay and no time is refused", async () => {
    const { workflows } = subject();
    const invalid = { name: "NodeError", code: "REQUEST_INVALID" };
    for (const delayMs of [-1, Number.NaN, Number.POSITIVE_INFINITY, "5"])
      await expectAlike(`delay ${delayMs}`, workflows.start(echo, 1, { delayMs: delayMs as number }), invalid);
    for (const startAt of [new Date(Number.NaN), Number.NaN, "2026-03-29"])
      await expectAlike(`time ${String(startAt)}`, workflows.start(echo, 1, { startAt: startAt as Date }), invalid);
    await expectAlike("both", workflows.start(echo, 1, { delayMs: 1, startAt: new Date() }), invalid);
  });
}
