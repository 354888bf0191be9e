/** What every implementation of `Workflows` does alike with schedules: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { echo, idle, strict } from "../conformance-workflows.ts";

const HOUR_MS = 3_600_000;

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function scheduleCases(subject: () => { readonly workflows: Workflows }): void {
  test("a schedule runs its workflow at its times, once for each", async () => {
    const { workflows } = subject();
    await workflows.schedules.create("every-second", { workflow: echo, input: "tick", everyMs: 1000 });
    await expect
      .poll(async () => (await workflows.schedules.get("every-second")).started, { timeout: 10_000 })
      .toBeGreaterThanOrEqual(2);
    await workflows.schedules.pause("every-second", { note: "enough" });
    const { recent, isPaused, note, started, nextDueMs } = await workflows.schedules.get("every-second");
    expect([isPaused, note, nextDueMs]).toEqual([true, "enough", undefined]);
    for (const { runId, scheduledForMs } of recent) {
      expect(runId).toBe(`every-second/${new Date(scheduledForMs).toISOString()}`);
      expect(scheduledForMs % 1000).toBe(0);
      expect(await workflows.result(runId)).toBe("tick");
      const { attributes } = await workflows.describe(runId);
      expect(attributes).toEqual({ scheduleId: "every-second", scheduledFor: new Date(scheduledForMs) });
    }
    const runs = await Array.fromAsync(workflows.list({ attributes: { scheduleId: "every-second" } }));
    expect(runs).toHaveLength(started);
    await workflows.schedules.delete("every-second");
    await workflows.schedules.delete("every-second");
    const gone = { name: "WorkflowError", code: "SCHEDULE_NOT_FOUND" };
    await expectAlike("a deleted schedule", workflows.schedules.get("every-second"), gone);
    await expectAlike("pausing it", workflows.schedules.pause("every-second"), gone);
    await expectAlike("triggering it", workflows.schedules.trigger("every-second"), gone);
    await expectAlike("changing it", workflows.schedules.update("every-second", { everyMs: 2000 }), gone);
  });

  test("a schedule is described with its next times, changed, paused from the beginning and listed", async () => {
    const { workflows } = subject();
    const { schedules } = workflows;
    const times = { cron: "0 30 2 * * *", timeZone: "Europe/Berlin", catchUpMs: 60_000, jitterMs: 10 };
    const nightly = { workflow: idle, ...times, attributes: { team: "books" }, runTimeoutMs: HOUR_MS };
    await schedules.create("nightly", nightly, { requestId: "once" });
    await schedules.create("nightly", nightly, { requestId: "once" });
    const exists = { name: "WorkflowError", code: "SCHEDULE_EXISTS" };
    await expectAlike("a schedule of its id", schedules.create("nightly", nightly), exists);
    const described = await schedules.get("nightly", { upcoming: 3 });
    expect(described).toMatchObject({
      scheduleId: "nightly",
      workflowType: "idle",
      version: undefined,
      times: { cron: ["0 30 2 * * *"], timeZone: "Europe/Berlin", catchUpMs: 60_000, catchUp: "last", jitterMs: 10 },
      overlap: "skip",
      runTimeoutMs: HOUR_MS,
      attributes: { team: "books" },
      isPaused: false,
      running: [],
      started: 0,
      missed: 0,
      failure: undefined,
    });
    expect(described.upcomingMs).toHaveLength(3);
    expect(described.nextDueMs).toBeGreaterThanOrEqual(described.upcomingMs[0] ?? 0);
    await schedules.update("nightly", { everyMs: HOUR_MS, overlap: "buffer-one" });
    const changed = await schedules.get("nightly");
    expect(changed).toMatchObject({ overlap: "buffer-one", times: { everyMs: HOUR_MS, jitterMs: 10 } });
    expect(changed.times.cron).toBeUndefined();
    await schedules.create("asleep", { workflow: "echo", cron: ["0 0 * * *", "0 12 * * *"], paused: "not yet" });
    expect(await schedules.get("asleep")).toMatchObject({ isPaused: true, note: "not yet", nextDueMs: undefined });
    await schedules.resume("asleep");
    expect((await schedules.get("asleep")).nextDueMs).toBeGreaterThan(Date.now());
    const ids = (await Array.fromAsync(schedules.list())).map(({ scheduleId }) => scheduleId);
    expect(ids).toEqual(["asleep", "nightly"]);
    const first = await schedules.listPage({ pageSize: 1 });
    const { nextPageToken = "" } = first;
    const second = await schedules.listPage({ pageSize: 1, pageToken: nextPageToken });
    expect([first, second].map(({ schedules: [only] }) => only?.scheduleId)).toEqual(["asleep", "nightly"]);
    await Promise.all(["asleep", "nightly"].map((id) => schedules.delete(id)));
  });

  test("a schedule is triggered and backfilled, with its overlap policy or another one", async () => {
    const { workflows } = subject();
    const { schedules } = workflows;
    await schedules.create("by-hand", { workflow: idle, everyMs: HOUR_MS, paused: true });
    const first = await schedules.trigger("by-hand", { requestId: "a" });
    expect(first).toEqual({ runId: "by-hand/trigger-a", outcome: "started" });
    expect(await schedules.trigger("by-hand", { requestId: "a" })).toEqual(first);
    expect((await schedules.trigger("by-hand")).outcome).toBe("skipped");
    expect((await schedules.trigger("by-hand", { overlap: "buffer-one" })).outcome).toBe("buffered");
    await workflows.terminate(first.runId);
    await expect.poll(async () => (await schedules.get("by-hand")).running.length).toBe(1);
    await expect.poll(async () => (await schedules.get("by-hand")).buffered).toEqual([]);
    const [second] = (await schedules.get("by-hand")).running;
    await workflows.terminate(second?.runId ?? "");
    const at = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    await schedules.backfill("by-hand", new Date(at - 2 * HOUR_MS), new Date(at), { overlap: "allow" });
    await expect.poll(async () => (await schedules.get("by-hand")).running.length).toBe(3);
    const { running } = await schedules.get("by-hand");
    expect(running.map(({ scheduledForMs }) => (at - scheduledForMs) / HOUR_MS)).toEqual([2, 1, 0]);
    for (const { runId } of running) await workflows.terminate(runId);
    await schedules.delete("by-hand");
  });

  test("what is no schedule is refused", async () => {
    const { workflows } = subject();
    const { schedules } = workflows;
    const wrong = { name: "WorkflowError", code: "SCHEDULE_INVALID" };
    await expectAlike("a pattern", schedules.create("x", { workflow: "echo", cron: "nonsense" }), wrong);
    await expectAlike(
      "a zone",
      schedules.create("x", { workflow: "echo", cron: "0 0 * * *", timeZone: "Mars" }),
      wrong,
    );
    await expectAlike("no times", schedules.create("x", { workflow: "echo" }), wrong);
    await expectAlike("an interval", schedules.create("x", { workflow: "echo", everyMs: 5 }), wrong);
    const invalid = { name: "NodeError", code: "REQUEST_INVALID" };
    const every = { workflow: "echo", everyMs: 1000 };
    await expectAlike("an id", schedules.create("", every), invalid);
    await expectAlike("a policy", schedules.create("x", { ...every, overlap: "none" as never }), invalid);
    await expectAlike("a calendar", schedules.create("x", { ...every, calendars: [{ hour: "1" } as never] }), invalid);
    await expectAlike("a range", schedules.backfill("x", new Date(5), new Date(1)), invalid);
    await expectAlike("a number of times", schedules.get("x", { upcoming: 1000 }), invalid);
    await expectAlike("a token", schedules.listPage({ pageToken: "nonsense" }), invalid);
    const unknown = { name: "WorkflowError", code: "WORKFLOW_TYPE_UNKNOWN" };
    await expectAlike("a type", schedules.create("x", { workflow: "not-registered", everyMs: 1000 }), unknown);
    const input = { name: "WorkflowError", code: "INPUT_INVALID" };
    await expectAlike("an input", schedules.create("x", { workflow: "strict", input: 12, everyMs: 1000 }), input);
    await expectAlike(
      "an input by its definition",
      schedules.create("x", { workflow: strict, input: 12, everyMs: 1000 }),
      input,
    );
  });
}
