/** What every implementation of `Workflows` does alike with streams: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { go, talker, tokens } from "../conformance-workflows.ts";

/** What the tests need of an implementation, see workflows-conformance.ts. */
export interface StreamsSubject {
  readonly workflows: Workflows;
  readonly waiting: () => number;
}

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function streamCases(subject: () => StreamsSubject): void {
  let count = 0;
  const fresh = (): string => `talk-${++count}`;

  test("a stream is followed from any offset by any number of readers, and ends before its run does", async () => {
    const words = Array.from({ length: 300 }, (_, n) => `word ${n}`);
    const run = await subject().workflows.start(talker, words, { runId: fresh() });
    const all = Array.fromAsync(run.stream(tokens));
    const some = Array.fromAsync(subject().workflows.stream(run.runId, "tokens", { from: 298 }));
    const later = Array.fromAsync(run.stream(tokens, { from: 1_000 }));
    for await (const { value } of run.stream(tokens)) if (value === "word 299") break;
    await run.signal("more");
    const chunks = await all;
    const { epoch } = await run.describe();
    expect(chunks.slice(0, 300)).toEqual(words.map((value, offset) => ({ offset, value, epoch })));
    const said = { offset: 300, value: "from a step", step: "say#0", attempt: 1, epoch };
    expect(chunks.slice(300)).toEqual([said]);
    expect(await some).toEqual(chunks.slice(298));
    expect(await later).toEqual([]);
    expect((await run.describe()).status).toBe("running");
    await run.signal(go);
    await run.wait();
    expect(await Array.fromAsync(run.stream(tokens, { from: 299 }))).toEqual(chunks.slice(299));
    // A stream that was not ended ends with its run, as does one that never was.
    expect(await Array.fromAsync(run.stream("progress"))).toEqual([{ offset: 0, value: { done: 1 }, epoch }]);
    expect(await Array.fromAsync(run.stream("none"))).toEqual([]);
  });

  test("a stream that is not followed gives what is there", async () => {
    const run = await subject().workflows.start(talker, ["a", "b"], { runId: fresh() });
    const reader = run.stream(tokens)[Symbol.asyncIterator]();
    for (const value of ["a", "b"]) expect(await reader.next()).toMatchObject({ value: { value } });
    const there = await Array.fromAsync(run.stream(tokens, { follow: false }));
    expect(there.map(({ value }) => value)).toEqual(["a", "b"]);
    expect(await Array.fromAsync(run.stream("none", { follow: false }))).toEqual([]);
    await reader.return?.();
  });

  test("a reader of a stream that gives up leaves nothing behind", async () => {
    const run = await subject().workflows.start(talker, ["a"], { runId: fresh() });
    const reason = new Error("the user has gone");
    const stop = new AbortController();
    const read = async (options: { readonly signal?: AbortSignal; readonly timeoutMs?: number }) => {
      const chunks: unknown[] = [];
      for await (const { value } of run.stream(tokens, options)) chunks.push(value);
      return chunks;
    };
    const aborted = expectAlike("an aborted read", read({ signal: stop.signal }), {
      name: "NodeError",
      code: "CALL_ABORTED",
      cause: reason,
    });
    await expectAlike("a read too long", read({ timeoutMs: 50 }), { name: "RaftError", code: "DEADLINE_EXCEEDED" });
    stop.abort(reason);
    await aborted;
    await expect.poll(subject().waiting).toBe(0);
  });

  const read = (chunks: AsyncIterable<unknown>): Promise<readonly unknown[]> => Array.fromAsync(chunks);

  test.each<[name: string, call: (workflows: Workflows) => Promise<unknown>, code: string]>([
    ["a stream of a run that is not there", (w) => read(w.stream("none", "tokens")), "WORKFLOW_NOT_FOUND"],
    ["a stream as it is", (w) => read(w.run("none").stream(tokens, { follow: false })), "WORKFLOW_NOT_FOUND"],
    ["a stream without a name", (w) => read(w.stream("a", "")), "NAME_INVALID"],
    ["a stream's name that is too long", (w) => read(w.stream("a", "x".repeat(201))), "NAME_INVALID"],
    ["an offset below 0", (w) => read(w.stream("a", "b", { from: -1 })), "REQUEST_INVALID"],
    ["half an offset", (w) => read(w.stream("a", "b", { from: 0.5 })), "REQUEST_INVALID"],
    ["a follow that is none", (w) => read(w.stream("a", "b", { follow: 1 as never })), "REQUEST_INVALID"],
    ["a stream of a run without id", (w) => read(w.stream("", "b")), "WORKFLOW_ID_INVALID"],
  ])("%s is refused", async (name, call, code) => {
    await expectAlike(name, call(subject().workflows), { code });
  });
}
