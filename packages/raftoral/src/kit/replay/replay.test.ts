import { update, type WorkflowContext, type WorkflowDefinition, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { HISTORY_FORMAT, type HistoryExport } from "../../api/histories/history-format.ts";
import { replay } from "./replay.ts";

const RECORDED: HistoryExport = {
  format: HISTORY_FORMAT,
  runId: "r",
  workflowType: "order",
  version: 1,
  seed: Buffer.alloc(16, 7).toString("base64"),
  startedAtMs: 1_000,
  input: { value: { item: "tea" } },
  records: [
    { path: "reserve#0", kind: "step", value: "reserved tea", recordedAtMs: 1_010 },
    { path: "sleep#0", kind: "sleep", value: 5_000, recordedAtMs: 1_020 },
    { path: "charge#0", kind: "step", value: 40, recordedAtMs: 5_010 },
  ],
  pendingSignals: [],
  outcome: { status: "completed", endedAtMs: 5_020, value: { charged: 40 } },
};
const RUNNING: HistoryExport = { ...RECORDED, records: RECORDED.records.slice(0, 2), outcome: { status: "running" } };

function order(body: (ctx: WorkflowContext) => Promise<unknown>): WorkflowDefinition {
  return workflow("order", { version: 1 }, body) as WorkflowDefinition;
}

const never = (): never => {
  throw new Error("a replay calls no step");
};
const same = order(async (ctx) => {
  await ctx.step("reserve", never);
  await ctx.sleep(4_000);
  return { charged: await ctx.step("charge", never) };
});

test("the code that recorded the history replays it, ended or not", async () => {
  expect(await replay(RECORDED, same)).toMatchObject({ verdict: "same", replayed: 3 });
  expect(await replay(RUNNING, same)).toMatchObject({ verdict: "same", replayed: 2 });
});

test("a call after all recorded ones extends a run that goes on, and differs from one that has ended", async () => {
  const longer = order(async (ctx) => {
    await ctx.step("reserve", never);
    await ctx.sleep(10);
    const charged = await ctx.step("charge", never);
    await ctx.step("mail", never);
    return { charged };
  });
  expect(await replay(RECORDED, longer)).toMatchObject({
    verdict: "different",
    call: { path: "mail#0", kind: "step" },
  });
  const asks = order(async (ctx) => {
    await ctx.step("reserve", never);
    void ctx.sleep(10);
    await ctx.step("mail", never);
  });
  expect(await replay(RUNNING, asks)).toMatchObject({ verdict: "extended", call: { path: "mail#0", kind: "step" } });
});

test.each<[string, (ctx: WorkflowContext) => Promise<unknown>, object]>([
  ["renames a step", async (ctx) => ctx.step("book", never), { call: { path: "reserve#0", kind: "step" } }],
  [
    "asks for another kind",
    async (ctx) => ctx.variable("reserve", 1),
    { reason: expect.stringContaining("reserve#0") },
  ],
  [
    "gives another result",
    async (ctx) => {
      await ctx.step("reserve", never);
      await ctx.sleep(10);
      await ctx.step("charge", never);
      return "other";
    },
    { reason: expect.stringContaining('completes with "other"') },
  ],
  [
    "throws",
    async (ctx) => {
      await ctx.step("reserve", never);
      throw new Error("new check");
    },
    { call: { path: "sleep#0", kind: "sleep" } },
  ],
])("code that %s is different", async (_, body, expected) => {
  expect(await replay(RECORDED, order(body))).toMatchObject({ verdict: "different", ...expected });
});

test("a call of another kind is named, however the body takes it", async () => {
  const swallows = order(async (ctx) => {
    await ctx.variable("reserve", 1).catch(() => {});
    await ctx.sleep(10);
    return { charged: await ctx.step("charge", never) };
  });
  expect(await replay(RECORDED, swallows)).toMatchObject({
    verdict: "different",
    call: { path: "reserve#0", kind: "variable" },
    reason: "At reserve#0 the code asks for a record of kind variable; the history has one of kind step.",
  });
});

test("a call that comes before a recorded one is different, whatever its kind; beside one it extends", async () => {
  const before = order(async (ctx) => {
    await ctx.step("reserve", never);
    await ctx.now();
    await ctx.sleep(10);
  });
  expect(await replay(RUNNING, before)).toMatchObject({
    verdict: "different",
    call: { path: "sleep#0" },
    reason: expect.stringContaining("it makes the call now now#0"),
  });
  const beside = order(async (ctx) => {
    await ctx.step("reserve", never);
    await Promise.all([ctx.now(), ctx.sleep(10)]);
  });
  expect(await replay(RUNNING, beside)).toMatchObject({ verdict: "extended", call: { path: "now#0" } });
});

test("a body that waits for a signal which was not sent waits where the run waits", async () => {
  const waits = order(async (ctx) => {
    await ctx.step("reserve", never);
    await ctx.sleep(10);
    await ctx.waitFor("approval");
  });
  const slept = {
    ...RUNNING,
    records: RECORDED.records.map((one, at) => (at === 2 ? { ...one, path: "sleep#0/woke", kind: "now" } : one)),
  };
  expect(await replay(slept, waits)).toMatchObject({ verdict: "same", replayed: 3 });
  expect(await replay({ ...slept, pendingSignals: ["approval"] }, waits)).toMatchObject({
    verdict: "extended",
    call: { path: "approval#0", kind: "signal" },
  });
});

test("a body that uses the platform is different, and says where", async () => {
  const clock = order(async (ctx) => {
    await ctx.step("reserve", never);
    return Date.now();
  });
  const { verdict, reason } = await replay(RECORDED, clock);
  expect(verdict).toBe("different");
  expect(reason).toMatch(/^The body uses Date\.now .*replay\.test\.ts/);
});

test("a history of another workflow or version is refused; anyVersion takes the version", async () => {
  const mail = workflow("mail", { version: 1 }, async () => {});
  await expect(replay(RECORDED, mail)).rejects.toThrow("is of order@1, not of mail@1");
  await expect(replay({ ...RECORDED, version: 2 }, same)).rejects.toThrow("is of order@2, not of order@1");
  expect(await replay({ ...RECORDED, version: 2 }, same, { anyVersion: true })).toMatchObject({ verdict: "same" });
});

test("what a handler has recorded before its body's failure was committed need not be asked for again; of a body that returns it must", async () => {
  const note = { path: "note#u1", kind: "update", value: { id: "one", name: "note" }, recordedAtMs: 1_030 };
  const noted = { path: "note#u1/note#0", kind: "step", value: 1, recordedAtMs: 1_040 };
  const error = { name: "Error", message: "on purpose", code: "", retryable: false };
  const throws = order(async (ctx) => {
    ctx.onUpdate(update<unknown>("note"), async (own) => own.step("note", never));
    throw new Error("on purpose");
  });
  const failed: HistoryExport = {
    ...RECORDED,
    records: [note, noted],
    outcome: { status: "failed", endedAtMs: 5_020, error },
  };
  expect(await replay(failed, throws)).toMatchObject({ verdict: "same" });
  const returns = order(async () => "done");
  const completed: HistoryExport = { ...failed, outcome: { status: "completed", endedAtMs: 5_020, value: "done" } };
  expect(await replay(completed, returns)).toMatchObject({ verdict: "different", call: { path: "note#u1" } });
});
