/** What every implementation of `Workflows` does alike with tokens: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import { Payload } from "../../api/payloads/payload.ts";
import type { Run, Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { asking } from "../conformance-workflows.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function tokenCases(subject: () => { readonly workflows: Workflows }): void {
  /** A run that waits for its token, and the token. */
  async function waiting(
    name: string,
    timeout?: string,
  ): Promise<readonly [run: Run<{ readonly answer: unknown }>, token: string]> {
    const run = await subject().workflows.start(asking, timeout, { runId: `asking-${name}` });
    await expect.poll(() => run.variable("token"), { timeout: 10_000 }).toBeTypeOf("string");
    return [run, (await run.variable("token")) as string];
  }

  test("a token is answered once: the same answer again is done, and another is refused", async () => {
    const { workflows } = subject();
    const [run, token] = await waiting("once");
    await workflows.answer(token, { by: ["a", null] });
    expect(await run.result()).toEqual({ answer: { by: ["a", null] } });
    await workflows.answer(token, { by: ["a", null] });
    const conflict = { name: "WorkflowError", code: "TOKEN_CONFLICT" };
    await expectAlike("another answer", workflows.answer(token, { by: ["b"] }), conflict);
    await expectAlike("a failure after an answer", workflows.fail(token, "no"), conflict);
    const history = await Array.fromAsync(run.history());
    expect(history.filter(({ kind }) => kind === "answer").map(({ value }) => value.value())).toEqual([
      { by: ["a", null] },
    ]);
  });

  test("an answer may be nothing, and a payload is taken as it is", async () => {
    const { workflows } = subject();
    const [nothing, first] = await waiting("nothing");
    await workflows.answer(first);
    expect(await nothing.result()).toEqual({ answer: null });
    const [bytes, second] = await waiting("bytes");
    await workflows.answer(second, Payload.of([1], "it"));
    expect(await bytes.result()).toEqual({ answer: [1] });
  });

  test.each<
    [name: string, failure: string | Error | { readonly message: string; readonly code?: string }, cause: object]
  >([
    ["a text", "declined", { name: "Error", message: "declined" }],
    [
      "an error",
      Object.assign(new RangeError("too much"), { code: 7 }),
      { name: "RangeError", message: "too much", code: "7" },
    ],
    ["a name and a code", { message: "no", code: "DECLINED" }, { name: "Error", message: "no", code: "DECLINED" }],
  ])("a token is failed with %s", async (name, failure, cause) => {
    const { workflows } = subject();
    const [run, token] = await waiting(name);
    await workflows.fail(token, failure);
    await workflows.fail(token, failure);
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "TOKEN_FAILED", cause } });
    await expectAlike(`an answer after ${name}`, workflows.answer(token), { code: "TOKEN_CONFLICT" });
  });

  test("a token that has expired, or whose run has ended, takes no answer", async () => {
    const { workflows } = subject();
    const [expired, first] = await waiting("expired", "1ms");
    await expect(expired.result()).rejects.toMatchObject({ failure: { code: "TOKEN_EXPIRED" } });
    await expectAlike("a late answer", workflows.answer(first, 1), { name: "WorkflowError", code: "TOKEN_EXPIRED" });
    const [cancelled, second] = await waiting("cancelled");
    await cancelled.cancel();
    await cancelled.wait();
    await expectAlike("an answer after the end", workflows.answer(second), { code: "WORKFLOW_FINISHED" });
  });

  test("who does not know the token cannot answer it", async () => {
    const { workflows } = subject();
    const [run, token] = await waiting("guessed");
    const guesses = ["x", "rt_", `${token}x`, token.replace(/\..*/, ".x"), `rt_${btoa('["none","a#0"]')}.x`];
    for (const guess of guesses) {
      await expectAlike(`the token ${guesses.indexOf(guess)}`, workflows.answer(guess, 1), {
        name: "WorkflowError",
        code: "TOKEN_UNKNOWN",
      });
    }
    expect((await run.describe()).status).toBe("running");
    await workflows.answer(token, 1);
    await run.wait();
  });

  test.each<[name: string, call: (workflows: Workflows) => Promise<unknown>, code: string]>([
    ["an empty token", (w) => w.answer(""), "REQUEST_INVALID"],
    ["a token that is a number", (w) => w.answer(7 as never), "REQUEST_INVALID"],
    ["a token that is too long", (w) => w.answer("x".repeat(20_000)), "REQUEST_INVALID"],
    ["an answer that JSON does not carry", (w) => w.answer("rt_x.y", 1n), "VALUE_NOT_SERIALIZABLE"],
    ["an answer that is too large", (w) => w.answer("rt_x.y", "x".repeat(60_000)), "PAYLOAD_TOO_LARGE"],
    ["a failure without a message", (w) => w.fail("rt_x.y", {} as never), "REQUEST_INVALID"],
    ["a failure that is none", (w) => w.fail("rt_x.y", 5 as never), "REQUEST_INVALID"],
    ["a failure with half a character", (w) => w.fail("rt_x.y", "\ud800"), "REQUEST_INVALID"],
  ])("%s is refused", async (name, call, code) => {
    await expectAlike(name, call(subject().workflows), { code });
  });
}
