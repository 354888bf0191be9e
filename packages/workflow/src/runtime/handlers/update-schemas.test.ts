/** Schemas of updates that take their time (body-updates.ts BU6). */
import { expect, test } from "vitest";
import { update } from "../../author/update.ts";
import type { StandardSchemaV1 } from "../../author/values/schema.ts";
import { workflow } from "../../author/workflow.ts";
import { HandClock } from "../../testing/hand-clock.ts";
import { world } from "../../testing/workflow-world.ts";
import { SCHEMA_TIMEOUT_MS } from "./update-judging.ts";

type Answer = Promise<StandardSchemaV1.Result<string>>;

/** A schema that is answered by the test. */
function slow(answers: Map<string, PromiseWithResolvers<StandardSchemaV1.Result<string>>>) {
  const validate = (value: unknown): Answer => {
    const answer = Promise.withResolvers<StandardSchemaV1.Result<string>>();
    answers.set(String(value), answer);
    return answer.promise;
  };
  return { "~standard": { version: 1, vendor: "test", validate } } as StandardSchemaV1<string, string>;
}

function talk() {
  const answers = new Map<string, PromiseWithResolvers<StandardSchemaV1.Result<string>>>();
  const heard: string[] = [];
  const body = workflow("talk", { version: 1 }, async (ctx) => {
    ctx.onUpdate(update("slow", { input: slow(answers) }), (_own, text) => heard.push(String(text)));
    ctx.onUpdate(update<number, string>("quick"), (_own, text) => heard.push(text));
    ctx.onUpdate(update<number, string>("checked"), (_own, text) => heard.push(text), { validate: () => {} });
    await ctx.waitFor("stop");
  });
  return { answers, heard, body };
}

test("a schema that never answers holds up no other update, and its own is refused when its time is over", async () => {
  const clock = new HandClock();
  const w = world([1]);
  const { heard, body } = talk();
  await w.startAll([body], { clock });
  const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
  const asked = [run.update("slow", "a"), run.update("slow", "b")].map((call) => call.catch((error: unknown) => error));
  expect(await run.update("quick", "c")).toBe(1);
  expect(await run.update("checked", "d")).toBe(2);
  await clock.advance(SCHEMA_TIMEOUT_MS);
  for (const error of await Promise.all(asked)) {
    expect(error).toMatchObject({
      code: "UPDATE_REJECTED",
      message: expect.stringContaining("has not answered within 10 s"),
    });
  }
  expect(heard).toEqual(["c", "d"]);
  expect(await w.runtime(1).getRun("r")).toMatchObject({ updates: [] });
});

test("updates of one name are accepted in their order, whatever order their schemas answer in", async () => {
  const w = world([1]);
  const { answers, heard, body } = talk();
  await w.startAll([body]);
  const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
  const calls = [run.update("slow", "a"), run.update("slow", "b"), run.update("slow", "c")];
  await run.update("quick", "q");
  for (const text of ["c", "b"]) answers.get(text)?.resolve({ value: text });
  await run.update("quick", "r");
  expect(heard).toEqual(["q", "r"]);
  answers.get("a")?.resolve({ value: "a" });
  await Promise.all(calls);
  expect(heard).toEqual(["q", "r", "a", "b", "c"]);
});
