/** What every implementation of `Workflows` does alike with events: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import type { ClusterRunEvent, EventOptions } from "../../api/events.ts";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { go, purse, talker } from "../conformance-workflows.ts";

/** What the tests need of an implementation, see workflows-conformance.ts. */
export interface EventsSubject {
  readonly workflows: Workflows;
  readonly waiting: () => number;
}

/** An event without what differs from run to run. */
function plain(event: ClusterRunEvent): readonly unknown[] {
  switch (event.type) {
    case "run-started":
      return [event.type, event.runId, event.workflowType, event.version, event.input?.value()];
    case "record-committed":
      return [event.type, event.runId, event.path, event.kind, event.value?.value()];
    case "signal-buffered":
      return [event.type, event.runId, event.name, event.payload?.value()];
    case "update-accepted":
      return [event.type, event.name, event.id];
    case "update-answered":
      return [event.type, event.name, event.id, event.status, event.answer?.value() ?? event.error?.message];
    case "run-ended":
      return [event.type, event.runId, event.status, event.result?.value()];
    default:
      return [event.type];
  }
}

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function eventCases(subject: () => EventsSubject): void {
  let count = 0;
  const fresh = (): string => `told-${++count}`;

  /** Runs `talker` to its end and gives the events of its run. */
  async function told(
    options: EventOptions = {},
  ): Promise<readonly [runId: string, events: readonly ClusterRunEvent[]]> {
    const { workflows } = subject();
    const runId = fresh();
    const run = await workflows.start(talker, ["a"], { runId });
    await run.signal("more");
    await run.signal(go);
    await run.wait();
    return [runId, await Array.fromAsync(workflows.events({ from: "oldest", follow: false, runId, ...options }))];
  }

  test("events of a run come in the order of the log, with values when they are asked for", async () => {
    const [runId, events] = await told({ values: true });
    const types = events.map(({ type }) => type);
    expect([types[0], types.at(-1)]).toEqual(["run-started", "run-ended"]);
    expect(types.toSorted()).toEqual(
      expect.arrayContaining(["record-committed", "signal-buffered", "stream-appended"]),
    );
    expect(plain(events[0] as ClusterRunEvent)).toEqual(["run-started", runId, "talker", 1, ["a"]]);
    const records = events.filter(({ type }) => type === "record-committed").map(plain);
    const history = await Array.fromAsync(subject().workflows.history(runId));
    expect(records).toEqual(
      history.map(({ path, kind, value }) => ["record-committed", runId, path, kind, value.value()]),
    );
    const [, without] = await told();
    expect(without.map((event) => plain(event).at(-1))).not.toContainEqual(["a"]);
    for (const event of without)
      for (const field of ["input", "value", "payload", "result"]) expect(event).not.toHaveProperty(field);
  });

  test("updates and calls of objects come as they are accepted, answered and refused", async () => {
    const { workflows } = subject();
    const own = workflows.object(purse, "told");
    await own.call("put", { amount: 3 }, { id: "a" });
    await expect(own.call("tear", undefined, { id: "b" })).rejects.toThrow();
    await expect(workflows.object("purse", "told").call("none", 1, { id: "c" })).rejects.toThrow();
    await own.delete({ id: "d" });
    const types = ["update-accepted", "update-answered"] as const;
    const read = (options: EventOptions) =>
      Array.fromAsync(workflows.events({ from: "oldest", follow: false, runId: own.runId, ...options }));
    const answered = [
      ["update-answered", "put", "a", "completed", 3],
      ["update-answered", "tear", "b", "failed", "It is torn."],
      ["update-answered", "none", "c", "refused", expect.stringContaining("no handler")],
      ["update-answered", "object:delete", "d", "completed", undefined],
    ];
    const accepted = [
      ["update-accepted", "put", "a"],
      ["update-accepted", "tear", "b"],
      ["update-accepted", "object:delete", "d"],
    ];
    const events = await read({ types, values: true });
    expect(events.filter(({ type }) => type === "update-answered").map(plain)).toEqual(answered);
    expect((await read({ types: ["update-accepted"], workflowType: "purse" })).map(plain)).toEqual(accepted);
    expect(events).toHaveLength(answered.length + accepted.length);
    for (const event of await read({ types })) expect(event).not.toHaveProperty("answer");
  });

  test("a read goes on after the position of any event", async () => {
    const { workflows } = subject();
    const [runId, all] = await told();
    for (const [at, { position }] of all.entries()) {
      const rest = await Array.fromAsync(workflows.events({ after: position, follow: false, runId }));
      expect(rest).toEqual(all.slice(at + 1));
    }
  });

  test("a read follows what happens from now on, of the types and the runs that are asked for", async () => {
    const { workflows } = subject();
    const [runId, other] = [fresh(), fresh()];
    const stop = new AbortController();
    const events: (readonly unknown[])[] = [];
    const following = async (options: EventOptions) => {
      for await (const event of workflows.events({ signal: stop.signal, ...options })) events.push(plain(event));
    };
    const reads = [
      following({ types: ["run-ended"], runId }),
      following({ types: ["run-started"], workflowType: "talker" }),
    ];
    await expect.poll(subject().waiting).toBeGreaterThanOrEqual(2);
    for (const id of [other, runId]) {
      const run = await workflows.start(talker, [], { runId: id });
      await run.signal("more");
      await run.signal(go);
      await run.wait();
    }
    await expect.poll(() => events.length).toBe(3);
    expect(events.map(([type, id]) => [type, id])).toEqual([
      ["run-started", other],
      ["run-started", runId],
      ["run-ended", runId],
    ]);
    const reason = new Error("the user has gone");
    stop.abort(reason);
    for (const read of reads)
      await expectAlike("an aborted read of events", read, { name: "NodeError", code: "CALL_ABORTED", cause: reason });
    await expect.poll(subject().waiting).toBe(0);
  });

  test("a read that takes too long says how to go on", async () => {
    const read = Array.fromAsync(subject().workflows.events({ timeoutMs: 50 }));
    await expectAlike("a read of events too long", read, { name: "RaftError", code: "DEADLINE_EXCEEDED" });
  });

  test.each<[name: string, options: unknown]>([
    ["a type that no event has", { types: ["run-eaten"] }],
    ["types that are no list", { types: "run-ended" }],
    ["a position that no event has", { after: "yesterday", follow: false }],
    ["an empty position", { after: "" }],
    ["a position that is no text", { after: 17 }],
    ["a beginning that there is not", { from: "here" }],
    ["values that are no truth", { values: "yes" }],
    ["an empty type of workflows", { workflowType: "" }],
  ])("events with %s are refused", async (name, options) => {
    const read = Array.fromAsync(subject().workflows.events(options as EventOptions));
    await expectAlike(name, read, { name: "NodeError", code: "REQUEST_INVALID" });
  });
}
