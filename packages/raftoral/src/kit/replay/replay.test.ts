import { type WorkflowContext, type WorkflowDefinition, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { FORMAT, type HistoryExport, parseHistory } from "./history-export.ts";
import { replay } from "./replay.ts";

const RECORDED: HistoryExport = {
  format: FORMAT,
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
  outcome: { status: "completed", value: { charged: 40 } },
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

test("a history of another workflow, format or shape is refused with what to do", async () => {
  await expect(
    replay(RECORDED, workflow("mail", { version: 1 }, async () => {}) as WorkflowDefinition),
  ).rejects.toThrow("is of order@1, not of mail@1");
  for (const text of [
    "",
    "[]",
    "null",
    '{"format":"raftoral-history/0"}',
    JSON.stringify({ ...RECORDED, records: [{}] }),
  ]) {
    expect(() => parseHistory(text)).toThrow(TypeError);
  }
  expect(parseHistory(JSON.stringify(RECORDED))).toEqual(RECORDED);
});
