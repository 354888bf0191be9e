/** What every implementation of `Workflows` does alike for operators, beside mending one run: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import type { MendedRun } from "../../api/operations/operations.ts";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { go, idle, limit, restful, settable } from "../conformance-workflows.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function operationCases(subject: () => { readonly workflows: Workflows }): void {
  const audited = async (workflows: Workflows, subject: string) => {
    const entries = await Array.fromAsync(workflows.audit({ subject }));
    for (const { by } of entries) expect(by).toMatch(/^(local|unnamed)$/);
    return entries.map(({ action, detail, reason }) => [action, detail, reason]);
  };
  const fresh = (): string => `operated-${crypto.randomUUID()}`;

  test("a variable is set from outside, once per request, and the body goes on with it", async () => {
    const { workflows } = subject();
    const run = await workflows.start(settable, undefined, { runId: "operated-set" });
    await run.setVariable("limit", 2, { requestId: "a", reason: "too low" });
    await run.setVariable("limit", 7, { requestId: "a" });
    expect(await run.variable("limit")).toBe(2);
    await run.setVariable("ship/label", "red");
    expect(await run.variable("ship/label")).toBe("red");
    await run.setVariable(limit, 10);
    expect(await run.result()).toEqual({ limit: 10, label: "red" });
    await expectAlike("a variable of a run that has ended", run.setVariable(limit, 1), { code: "WORKFLOW_FINISHED" });
  });

  test("a variable that the body does not have is refused", async () => {
    const { workflows } = subject();
    const run = await workflows.start(settable, undefined, { runId: "operated-unset" });
    const unknown = { name: "WorkflowError", code: "VARIABLE_UNKNOWN" };
    await expectAlike("an unknown variable", run.setVariable("none", 1), unknown);
    const other = await workflows.start(idle, undefined, { runId: "operated-bare" });
    await expectAlike("a body without variables", other.setVariable("limit", 1), unknown);
    await expectAlike("a value that JSON does not carry", run.setVariable("limit", 1n as never), {
      code: "VALUE_NOT_SERIALIZABLE",
    });
    for (const each of [run, other]) await each.terminate();
  });

  test("a type that is paused takes starts, which begin once it is resumed", async () => {
    const { workflows } = subject();
    const before = await workflows.start(restful, undefined, { runId: fresh() });
    await workflows.pauseType("restful", { reason: "the bank is closed" });
    await workflows.pauseType("restful");
    expect(await workflows.pausedTypes()).toEqual([
      {
        workflowType: "restful",
        reason: "the bank is closed",
        by: expect.stringMatching(/^(local|unnamed)$/),
        pausedAtMs: expect.any(Number),
      },
    ]);
    const after = await workflows.start(restful, undefined, { runId: fresh() });
    await expect.poll(async () => (await before.describe()).owner, { timeout: 10_000 }).toBe(0);
    const resting = { status: "running", owner: 0, pauseReason: expect.stringContaining("the bank is closed") };
    expect(await after.describe()).toMatchObject(resting);
    for (const run of [before, after]) await run.signal(go);
    await workflows.resumeType("restful");
    expect(await workflows.pausedTypes()).toEqual([]);
    for (const run of [before, after]) expect(await run.result()).toBe("rested");
    await expectAlike("a type without a name", workflows.pauseType(""), { code: "REQUEST_INVALID" });
  });

  test("one thing is done to all runs that fit, piece by piece, and first to none of them", async () => {
    const { workflows } = subject();
    const prefix = `bulk-${crypto.randomUUID()}-`;
    const filter = { runIdPrefix: prefix };
    for (let run = 0; run < 5; run++) await workflows.start(idle, undefined, { runId: `${prefix}${run}` });
    const mended = async (...args: Parameters<Workflows["mendAll"]>): Promise<readonly MendedRun[]> => {
      const pieces = await Array.fromAsync(workflows.mendAll(...args));
      return pieces.flatMap(({ runs }) => runs);
    };
    const all = [4, 3, 2, 1, 0].map((run) => `${prefix}${run}`);
    const dry = await mended({ ...filter, status: "running" }, "terminate", { dryRun: true });
    expect(dry).toEqual(all.map((runId) => ({ runId, outcome: "fits" })));
    const first = workflows.mendAll({ ...filter, status: "running" }, "terminate", { pieceSize: 2, reason: "all" });
    let position: string | undefined;
    for await (const piece of first) {
      expect(piece.runs).toEqual(all.slice(0, 2).map((runId) => ({ runId, outcome: "done" })));
      position = piece.position;
      break;
    }
    const rest = await mended({ ...filter, status: "running" }, "terminate", { position: position ?? "" });
    expect(rest).toEqual(all.slice(2).map((runId) => ({ runId, outcome: "done" })));
    expect(await mended({ ...filter, status: "failed" }, "retry")).toEqual(
      all.map((runId) => ({ runId, outcome: "done" })),
    );
    expect(await mended(filter, "delete")).toEqual(all.map((runId) => ({ runId, outcome: "WORKFLOW_RUNNING" })));
    for (const action of ["pause", "resume", "terminate", "delete"] as const)
      expect(new Set((await mended(filter, action)).map(({ outcome }) => outcome)).size).toBe(1);
    expect(await Array.fromAsync(workflows.list(filter))).toEqual([]);
    await expectAlike("an unknown action", mended(filter, "forget" as never), { code: "REQUEST_INVALID" });
    await expectAlike("a piece that is too large", mended(filter, "cancel", { pieceSize: 33 }), {
      code: "REQUEST_INVALID",
    });
    await expectAlike("a place of another list", mended(filter, "cancel", { position: "x" }), {
      code: "REQUEST_INVALID",
    });
  });

  test("the audit says who did what, when and why, in pages", async () => {
    const { workflows } = subject();
    const run = await workflows.start(idle, undefined, { runId: fresh() });
    await run.pause({ reason: "to look at it" });
    await run.pause();
    await run.resume({ reason: "seen" });
    await run.terminate({ reason: "wrong" });
    await run.delete({ reason: "a test" });
    const entries = await Array.fromAsync(workflows.audit({ subject: run.runId }));
    expect(entries.map(({ action, reason }) => [action, reason])).toEqual([
      ["delete", "a test"],
      ["terminate", "wrong"],
      ["resume", "seen"],
      ["pause", "to look at it"],
    ]);
    for (const entry of entries) expect(entry.by).toMatch(/^(local|unnamed)$/);
    expect(entries.map(({ atMs }) => atMs)).toEqual(entries.map(({ atMs }) => atMs).toSorted((a, b) => b - a));
    const [first] = (await workflows.auditPage({ subject: run.runId, pageSize: 1 })).entries;
    expect(first).toEqual(entries[0]);
    expect(await Array.fromAsync(workflows.audit({ by: "grace" }))).toEqual([]);
    const event = workflows.events({ from: "oldest", follow: false, types: ["operator-acted"], runId: run.runId });
    expect((await Array.fromAsync(event)).map((each) => "action" in each && each.action)).toEqual(
      entries.map(({ action }) => action).toReversed(),
    );
  });

  test("the audit says who has changed queues, when and why", async () => {
    const { workflows } = subject();
    const { queues } = workflows;
    const name = fresh();
    await queues.define(name, { concurrency: 2, rate: { limit: 5, periodMs: 1000 } }, { reason: "for mails" });
    await queues.define(name, { concurrency: 2, rate: { limit: 5, periodMs: 1000 } }, { reason: "again" });
    await queues.pause(name, { reason: "the relay is down" });
    await queues.pause(name, { reason: "again" });
    await queues.resume(name);
    await queues.delete(name, { reason: "a test" });
    await queues.delete(name, { reason: "again" });
    expect(await audited(workflows, name)).toEqual([
      ["delete-queue", "", "a test"],
      ["resume-queue", "", ""],
      ["pause-queue", "", "the relay is down"],
      ["define-queue", "2 at once, 5 in 1000 ms", "for mails"],
    ]);
    await expectAlike("a reason that is no text", queues.pause(name, { reason: 1 as never }), {
      code: "REQUEST_INVALID",
    });
  });

  test("the audit says who has changed schedules, when and why", async () => {
    const { workflows } = subject();
    const { schedules } = workflows;
    const id = fresh();
    await schedules.create(id, { workflow: idle, everyMs: 3_600_000 }, { requestId: "a", reason: "each hour" });
    await schedules.create(id, { workflow: idle, everyMs: 3_600_000 }, { requestId: "a", reason: "each hour" });
    await schedules.update(id, { overlap: "allow" }, { reason: "two at once" });
    await schedules.pause(id, { note: "enough" });
    const { runId } = await schedules.trigger(id, { requestId: "b", reason: "now" });
    await schedules.trigger(id, { requestId: "b", reason: "again" });
    await schedules.backfill(id, new Date(3_600_000), new Date(3_600_000), { reason: "lost" });
    await schedules.resume(id, { note: "more" });
    await schedules.delete(id, { reason: "a test" });
    await schedules.delete(id, { reason: "again" });
    expect(await audited(workflows, id)).toEqual([
      ["delete-schedule", "", "a test"],
      ["resume-schedule", "", "more"],
      ["backfill-schedule", "3600000 to 3600000 (ms since the epoch)", "lost"],
      ["trigger-schedule", runId, "now"],
      ["pause-schedule", "", "enough"],
      ["update-schedule", "idle", "two at once"],
      ["create-schedule", "idle", "each hour"],
    ]);
    const runs = await Array.fromAsync(workflows.list({ attributes: { scheduleId: id }, status: "running" }));
    for (const run of runs) await workflows.terminate(run.runId);
  });

  test("a deleted run says how far it is in logs and snapshots still", async () => {
    const { workflows } = subject();
    const run = await workflows.start(idle, undefined, { runId: fresh() });
    await run.terminate();
    const gone = await run.delete();
    expect(gone).toEqual({ runId: run.runId, deleted: true, position: expect.any(Number) });
    const again = await run.delete();
    expect(again).toMatchObject({ deleted: false });
    expect(again.position).toBeGreaterThan(gone.position);
  });
}
