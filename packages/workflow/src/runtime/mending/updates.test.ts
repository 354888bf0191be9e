/** What a retry and a fork make of updates that a run had accepted (state/update-table.ts UT5). */
import { describe, expect, test } from "vitest";
import { update } from "../../author/update.ts";
import { workflow } from "../../author/workflow.ts";
import { world } from "../../testing/workflow-world.ts";

/** Keeps a sum that updates add to, and fails with its first owner at `go`. */
const account = workflow("account", { version: 1 }, async (ctx) => {
  let sum = 0;
  ctx.onUpdate(update<number, number>("add"), async (own, amount) => {
    const added = await own.step("book", () => amount);
    sum += added;
    return sum;
  });
  await ctx.waitFor("go");
  await ctx.step("check", () => (ctx.attempt === 1 ? Promise.reject(new Error("broken")) : "whole"), { retry: false });
  await ctx.waitFor("end");
  return sum;
});

async function failed() {
  const w = world();
  await w.startAll([account]);
  const run = await w.runtime(1).startWorkflow(account, undefined, { id: "r" });
  expect(await run.update("add", 1, "first")).toBe(1);
  expect(await run.update("add", 2, "second")).toBe(3);
  await run.signal("go");
  await expect(run.result()).rejects.toThrow("broken");
  return { w, run };
}

describe("a retry", () => {
  test("fails an update that it takes back, and keeps the answer of one before", async () => {
    const { w, run } = await failed();
    await w.runtime(2).mend("r", { kind: "retry", from: "add#u2" });
    expect(await run.update("add", 1, "first")).toBe(1);
    const again = run.update("add", 2, "second");
    await expect(again).rejects.toMatchObject({ name: "UpdateFailedError", code: "UPDATE_FAILED" });
    await expect(again).rejects.toThrow("Ask again under another id.");
    expect(await run.update("add", 4)).toBe(5);
    await run.signal("end");
    expect(await run.result()).toBe(5);
  });

  test("keeps every update before the failure, and their handlers run again without an answer", async () => {
    const { w, run } = await failed();
    await w.runtime(2).mend("r", { kind: "retry", from: undefined });
    expect(await run.update("add", 2, "second")).toBe(3);
    expect(await run.update("add", 4)).toBe(7);
    await run.signal("end");
    expect(await run.result()).toBe(7);
  });
});

test("a fork has the updates of the part that it copies, knows none of their ids, and takes others", async () => {
  const { w } = await failed();
  await w.runtime(3).fork("r", "f", "add#u2");
  expect(await w.runtime(1).update("f", "add", 10, "first")).toBe(11);
  await w.runtime(1).signal("f", "go");
  await expect(w.runtime(1).result("f")).rejects.toThrow("broken");
  const paths = (await w.runtime(1).getRun("f"))?.history.map(([path]) => path) ?? [];
  expect(paths.filter((path) => /^add#u\d+$/.test(path))).toEqual(["add#u1", "add#u3"]);
});

test("updates wait at a paused run, and at a terminated one they are refused", async () => {
  const w = world([1]);
  await w.startAll([account]);
  const run = await w.runtime(1).startWorkflow(account, undefined, { id: "r" });
  await w.runtime(1).mend("r", { kind: "pause", isNow: true });
  const waiting = run.update("add", 3);
  await w.runtime(1).resumeRun("r");
  expect(await waiting).toBe(3);
  await w.runtime(1).mend("r", { kind: "pause", isNow: true });
  const lost = run.update("add", 4);
  lost.catch(() => {});
  await w.next("update-requested");
  await w.runtime(1).mend("r", { kind: "terminate" });
  await expect(lost).rejects.toMatchObject({ code: "WORKFLOW_FINISHED" });
});
