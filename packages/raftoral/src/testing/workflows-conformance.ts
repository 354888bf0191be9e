/** What every implementation of `Workflows` does alike, with a cluster whose nodes have registered `CONFORMANCE_WORKFLOWS`. */
import { BEHAVIOUR_LEVEL, SEALED_MESSAGE } from "@raftoral/workflow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Payload } from "../api/payloads/payload.ts";
import type { RunSummary } from "../api/runs.ts";
import type { Run, Workflows } from "../api/workflows.ts";
import { expectAlike } from "./alike.ts";
import { askingCases } from "./cases/asking-cases.ts";
import { bytesCases } from "./cases/bytes-cases.ts";
import { childCases } from "./cases/child-cases.ts";
import { delayCases } from "./cases/delay-cases.ts";
import { eventCases } from "./cases/event-cases.ts";
import { exportCases } from "./cases/export-cases.ts";
import { findingCases } from "./cases/finding-cases.ts";
import { lockCases } from "./cases/lock-cases.ts";
import { mendingCases } from "./cases/mending-cases.ts";
import { operationCases } from "./cases/operation-cases.ts";
import { queueCases } from "./cases/queue-cases.ts";
import { scheduleCases } from "./cases/schedule-cases.ts";
import { stepCases } from "./cases/step-cases.ts";
import { streamCases } from "./cases/stream-cases.ts";
import { traceCases } from "./cases/trace-cases.ts";
import { echo, failing, gate, gated, go, idle, order, strict } from "./conformance-workflows.ts";

/** What the suite needs of an implementation. */
export interface WorkflowsSubject {
  readonly workflows: Workflows;
  /** Calls that wait somewhere inside for a run to end or for their turn: none once the callers are gone. */
  readonly waiting: () => number;
  /** Whether its values go through payload codecs. */
  readonly isCoded?: boolean;
  readonly dispose: () => Promise<void>;
}

/** With {@link CONFORMANCE_BLOB_LIMITS}: what does not fit into a command is refused by the nodes of the tested cluster. */
export const CONFORMANCE_LIMITS = Object.freeze({ maxCommandBytes: 64 * 1024 });
export const CONFORMANCE_BLOB_LIMITS = Object.freeze({ maxBytes: 48 * 1024 });

/** Runs the suite. `name` names the implementation; `open` makes one, on a cluster of its own. */
export function workflowsConformance(name: string, open: () => Promise<WorkflowsSubject>): void {
  describe(`Workflows: ${name}`, () => {
    let subject: WorkflowsSubject;
    let workflows: Workflows;
    let count = 0;
    const fresh = (): string => `run-${++count}`;
    beforeAll(async () => {
      subject = await open();
      workflows = subject.workflows;
    });
    afterAll(() => subject.dispose());

    /** A run that waits at its gate. */
    async function held(): Promise<Run<unknown[]>> {
      return workflows.start(gated, undefined, { runId: fresh() });
    }

    test("a run is started, ends, and is told of", async () => {
      const run = await workflows.start(order, { item: "tea", total: 20 }, { runId: "first" });
      expect([run.runId, run.created]).toEqual(["first", true]);
      expect(await run.result()).toEqual({ item: "tea", price: 40 });
      const ended = await run.wait();
      expect(ended).toMatchObject({ runId: "first", workflowType: "order", status: "completed" });
      const description = await run.describe();
      expect(description).toEqual({
        runId: "first",
        workflowType: "order",
        version: 2,
        status: "completed",
        owner: expect.any(Number),
        epoch: expect.any(Number),
        takeovers: 0,
        startedAtMs: expect.any(Number),
        endedAtMs: ended.endedAtMs,
        recordCount: 2,
        error: undefined,
        cancelReason: undefined,
        pendingSignals: [],
        stepsInProgress: [],
        parent: undefined,
        generation: 1,
        children: [],
        locks: [],
        attributes: {},
        initialAttributes: {},
        trace: undefined,
        behaviourLevel: BEHAVIOUR_LEVEL,
        seed: expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
      });
      expect((await run.input()).value()).toEqual({ item: "tea", total: 20 });
      const history = await Array.fromAsync(run.history());
      expect(history.map((record) => [record.path, record.kind, record.value.value()])).toEqual([
        ["price#0", "step", 40],
        ["nothing#0", "step", undefined],
      ]);
      for (const { epoch, recordedAtMs, position } of history) {
        expect(epoch).toBe(description.epoch);
        expect(recordedAtMs).toBeGreaterThanOrEqual(description.startedAtMs);
        expect(position).toMatch(/./);
      }
      expect(workflows.run("first").created).toBeUndefined();
    });

    test("the same start again is the same run; another one under its id is refused", async () => {
      const runId = fresh();
      const input = { item: "tea", total: 1 };
      expect((await workflows.start(order, input, { runId })).created).toBe(true);
      expect((await workflows.start("order", input, { runId })).created).toBe(false);
      expect((await workflows.start(order, input, { runId, version: 2 })).created).toBe(false);
      // The same value, written in another order.
      expect((await workflows.start("order", { total: 1, item: "tea" }, { runId })).created).toBe(false);
      const written = Payload.ofBytes(new TextEncoder().encode('{ "total": 1.0, "item": "te\\u0061" }'), "it");
      expect((await workflows.start("order", written, { runId })).created).toBe(false);
      // Another version, unless it is pinned: the run began before a deployment.
      expect((await workflows.start({ type: "order", version: 3 }, input, { runId })).created).toBe(false);
      const conflict = { name: "WorkflowError", code: "WORKFLOW_ID_CONFLICT" };
      await expectAlike("another version", workflows.start("order", input, { runId, version: 3 }), conflict);
      await expectAlike("another input", workflows.start(order, { item: "tea", total: 2 }, { runId }), conflict);
      await expectAlike("another type", workflows.start(echo, input, { runId }), conflict);
      expect((await workflows.start("order", input)).runId).toMatch(/^[0-9a-f-]{36}$/);
    });

    test("what no node has registered is not started", async () => {
      const unknown = { name: "WorkflowError", code: "WORKFLOW_TYPE_UNKNOWN" };
      await expectAlike("an unknown type", workflows.start("not-registered"), unknown);
      await expectAlike("an unknown version", workflows.start("order", 1, { version: 9 }), unknown);
    });

    test("an input is what the workflow's schema takes, as it is recorded", async () => {
      expect(await (await workflows.start(strict, 7)).result()).toBe(7);
      const invalid = { name: "WorkflowError", code: "INPUT_INVALID" };
      await expectAlike("an input by its definition", workflows.start(strict, 12), invalid);
      await expectAlike("an input by its type", workflows.start("strict", 12), invalid);
      const unread = Payload.ofBytes(Uint8Array.of(123), "x");
      await expectAlike("bytes by their type", workflows.start("strict", unread), invalid);
    });

    test("a failed run rejects with what its body threw", async () => {
      const run = await workflows.start(failing, "error", { runId: "fails" });
      const failure = {
        name: "TypeError",
        message: "no such item",
        code: "42",
        stack: expect.stringContaining("at "),
        cause: expect.objectContaining({ name: "RetryableError", message: "later", code: "RETRYABLE" }),
      };
      await expect(run.result()).rejects.toMatchObject({
        name: "WorkflowFailedError",
        code: "WORKFLOW_FAILED",
        message: expect.stringMatching(/^Run fails failed: TypeError: no such item/),
        runId: "fails",
        failure,
        cause: { name: "TypeError", message: "no such item", cause: { name: "RetryableError" } },
      });
      expect(await run.wait()).toMatchObject({ status: "failed", error: failure });
      expect(await run.describe()).toMatchObject({ status: "failed", error: failure });
      const { runs } = await workflows.listPage({ workflowType: "failing", status: "failed" });
      // A list decodes nothing: a page of it may have a thousand failures.
      const message = subject.isCoded === true ? SEALED_MESSAGE : "no such item";
      expect(runs[0]?.error).toEqual({ name: "TypeError", message, code: "42" });
    });

    test("an AggregateError, a thrown text and a failed step keep what they say", async () => {
      const failures = new Map<string, unknown>();
      for (const how of ["parts", "text", "step"] as const) {
        const ended = await (await workflows.start(failing, how)).wait();
        if (ended.status === "failed") failures.set(how, ended.error);
      }
      expect(failures.get("parts")).toMatchObject({
        errors: [{ message: "one" }, { name: "RangeError", message: "two" }],
      });
      expect(failures.get("text")).toMatchObject({ message: expect.stringContaining("a text") });
      expect(failures.get("step")).toMatchObject({
        code: "DECLINED",
        message: expect.stringContaining("card declined"),
      });
    });

    test("a cancelled run rejects with the reason", async () => {
      const run = await held();
      await run.cancel({ reason: "ordered twice" });
      await expect(run.result()).rejects.toMatchObject({
        name: "WorkflowCancelledError",
        code: "WORKFLOW_CANCELLED",
        runId: run.runId,
        reason: "ordered twice",
      });
      expect(await run.wait()).toMatchObject({ status: "cancelled", reason: "ordered twice" });
      expect(await run.describe()).toMatchObject({
        status: "cancelled",
        cancelReason: "ordered twice",
        error: undefined,
      });
      const other = await held();
      await other.cancel();
      expect(await other.wait()).toMatchObject({ status: "cancelled", reason: "cancelled on request" });
    });

    test("signals are taken in their order, each once, with the value that was sent", async () => {
      const run = await held();
      await run.signal("later", 1);
      await run.signal("gate", { deep: [null, "x"] }, { signalId: "s-1" });
      await run.signal("gate", "repeated", { signalId: "s-1" });
      expect((await run.describe()).pendingSignals).toContain("later");
      await run.signal("gate");
      expect(await run.result()).toEqual([{ deep: [null, "x"] }, null]);
    });

    test("a signal is what its definition's schema takes, as it is recorded", async () => {
      const run = await held();
      const invalid = { name: "WorkflowError", code: "SIGNAL_INVALID" };
      await expectAlike("a payload", run.signal(gate, { opens: -1 }), invalid);
      await expectAlike("bytes", run.signal(gate, Payload.ofBytes(Uint8Array.of(123), "x")), invalid);
      expect((await run.describe()).pendingSignals).toEqual([]);
      await run.signal(gate, { opens: 1 });
      await workflows.signal(run.runId, gate, { opens: 2 });
      expect(await run.result()).toEqual([{ opens: 1 }, { opens: 2 }]);
    });

    test("a workflow and a signal without a value need none", async () => {
      const run = await workflows.start(idle);
      await run.signal(go);
      expect(await run.result()).toBe("gone");
      const other = await workflows.start<typeof idle>("idle", undefined, { runId: fresh() });
      await workflows.signal(other.runId, go);
      const result: "gone" = await workflows.result<typeof idle>(other.runId);
      expect(result).toBe("gone");
    });

    test("a run that has ended takes neither signals nor cancellations", async () => {
      const finished = { name: "WorkflowError", code: "WORKFLOW_FINISHED" };
      await workflows.wait("first");
      await expectAlike("a signal too late", workflows.signal("first", "gate"), finished);
      await expectAlike("a cancellation too late", workflows.cancel("first"), finished);
      await expectAlike("a resumption too late", workflows.run("first").resume(), finished);
    });

    test.each<[name: string, call: (workflows: Workflows) => Promise<unknown>]>([
      ["describe", (w) => w.describe("none")],
      ["history", (w) => w.historyPage("none")],
      ["the records", (w) => Array.fromAsync(w.history("none"))],
      ["the export", (w) => w.exportHistory("none")],
      ["input", (w) => w.input("none")],
      ["wait", (w) => w.wait("none")],
      ["result", (w) => w.run("none").result({ timeoutMs: 5_000 })],
      ["signal", (w) => w.signal("none", "gate")],
      ["cancel", (w) => w.cancel("none")],
      ["resume", (w) => w.resume("none")],
    ])("a run that is not there: %s", async (_name, call) => {
      // One text for all of them.
      await expectAlike("a run that is not there", call(workflows), {
        name: "WorkflowError",
        code: "WORKFLOW_NOT_FOUND",
      });
    });

    test.each<[name: string, call: (workflows: Workflows) => Promise<unknown>, code: string]>([
      ["an empty run id", (w) => w.start("order", 1, { runId: "" }), "WORKFLOW_ID_INVALID"],
      ["a run id of another type", (w) => w.start("order", 1, { runId: 5 as never }), "WORKFLOW_ID_INVALID"],
      ["a run id that is too long", (w) => w.describe("x".repeat(513)), "WORKFLOW_ID_INVALID"],
      ["a run id with a lone surrogate", (w) => w.wait("a\ud800"), "WORKFLOW_ID_INVALID"],
      ["version 0", (w) => w.start("order", 1, { version: 0 }), "REQUEST_INVALID"],
      ["a broken version", (w) => w.start("order", 1, { version: 1.5 }), "REQUEST_INVALID"],
      ["no workflow", (w) => w.start(null as unknown as string, 1), "REQUEST_INVALID"],
      ["an empty type", (w) => w.start("", 1), "REQUEST_INVALID"],
      ["options that are none", (w) => w.start("order", 1, 5 as never), "REQUEST_INVALID"],
      ["a time that is no number", (w) => w.signal("a", "b", 1, { timeoutMs: "5s" as never }), "REQUEST_INVALID"],
      ["a time that is NaN", (w) => w.run("a").result({ timeoutMs: Number.NaN }), "REQUEST_INVALID"],
      ["a negative time", (w) => w.describe("a", { timeoutMs: -1 }), "REQUEST_INVALID"],
      ["a signal to abort that is none", (w) => w.describe("a", { signal: {} as never }), "REQUEST_INVALID"],
      ["a status that no run has", (w) => w.listPage({ status: "asleep" as never }), "REQUEST_INVALID"],
      ["a type that no workflow has", (w) => w.listPage({ workflowType: "" }), "REQUEST_INVALID"],
      ["a page of none", (w) => w.listPage({}, { pageSize: 0 }), "REQUEST_INVALID"],
      ["a page of too many", (w) => w.historyPage("a", { pageSize: 1001 }), "REQUEST_INVALID"],
      ["a page token that no node gave", (w) => w.listPage({}, { pageToken: "x" }), "REQUEST_INVALID"],
      ["a number as page token", (w) => w.listPage({}, { pageToken: "12" }), "REQUEST_INVALID"],
      ["an empty signal name", (w) => w.signal("a", ""), "NAME_INVALID"],
      ["a signal name that is a number", (w) => w.signal("a", 7 as never), "NAME_INVALID"],
      ["a signal name that is too long", (w) => w.signal("a", "x".repeat(5_000)), "NAME_INVALID"],
      ["a signal name with a lone surrogate", (w) => w.signal("a", "\udfff"), "NAME_INVALID"],
      ["an empty signal id", (w) => w.signal("a", "b", 1, { signalId: "" }), "REQUEST_INVALID"],
      ["a reason that is none", (w) => w.cancel("a", { reason: 5 as never }), "REQUEST_INVALID"],
      ["a reason that is too long", (w) => w.cancel("a", { reason: "x".repeat(10_000) }), "REQUEST_INVALID"],
      ["a function", (w) => w.start("echo", { at: () => 1 }), "VALUE_NOT_SERIALIZABLE"],
      ["a bigint", (w) => w.signal("a", "b", 1n), "VALUE_NOT_SERIALIZABLE"],
      ["NaN", (w) => w.start("echo", [Number.NaN]), "VALUE_NOT_SERIALIZABLE"],
      ["an input that is too large", (w) => w.start("echo", "x".repeat(60_000)), "PAYLOAD_TOO_LARGE"],
      ["a signal that is too large", (w) => w.signal("first", "b", "x".repeat(60_000)), "PAYLOAD_TOO_LARGE"],
    ])("%s is refused", async (name, call, code) => {
      await expectAlike(name, call(workflows), { code });
    });

    test("a payload is taken as it is, whatever its bytes are", async () => {
      expect(await (await workflows.start("echo", Payload.of({ a: 1 }, "it"))).result()).toEqual({ a: 1 });
      const bytes = Uint8Array.of(0xff, 0x00, 0x7b);
      const runId = fresh();
      await workflows.start("gated", Payload.ofBytes(bytes, "it"), { runId });
      const input = await workflows.input(runId);
      expect(new Uint8Array(input.bytes)).toEqual(bytes);
      await expectAlike("bytes that are not JSON", (async () => input.value())(), {
        name: "WorkflowError",
        code: "VALUE_UNREADABLE",
      });
      // Whether its body can do anything with it is another matter: it can be looked after.
      expect(await workflows.describe(runId)).toMatchObject({ runId, workflowType: "gated" });
      const listed = await Array.fromAsync(workflows.list({ workflowType: "gated" }));
      expect(listed.map((run) => run.runId)).toContain(runId);
    });

    test("undefined and null are told apart", async () => {
      const results = [undefined, null].map(async (input) => (await workflows.start("echo", input)).result());
      expect(await Promise.all(results)).toEqual([undefined, null]);
    });

    test("waiting ends at its time while the run goes on", async () => {
      const run = await workflows.start(gated, undefined, { runId: "goes-on" });
      await expectAlike("waiting too long", run.wait({ timeoutMs: 50 }), {
        name: "RaftError",
        code: "DEADLINE_EXCEEDED",
      });
      await expectAlike("waiting for a result too long", run.result({ timeoutMs: 0 }), { code: "DEADLINE_EXCEEDED" });
      await Promise.all([run.signal("gate", 1), run.signal("gate", 2)]);
      expect(((await run.result()) as number[]).toSorted()).toEqual([1, 2]);
      expect(await run.wait({ timeoutMs: 0 })).toMatchObject({ status: "completed" });
    });

    test("an aborted call ends at once, and leaves nothing behind", async () => {
      const run = await held();
      const reason = new Error("the user has gone");
      const aborted = AbortSignal.abort(reason);
      const expected = { name: "NodeError", code: "CALL_ABORTED", cause: reason };
      await expectAlike("an aborted start", workflows.start("echo", 1, { signal: aborted }), expected);
      await expectAlike("an aborted list", workflows.listPage({}, { signal: aborted }), expected);
      const stop = new AbortController();
      const { signal } = stop;
      const waiting = [run.wait({ signal }), run.result({ signal, timeoutMs: 60_000 }), run.wait({ signal })];
      const settled = Promise.allSettled(waiting);
      await expect.poll(subject.waiting).toBeGreaterThan(0);
      stop.abort(reason);
      for (const outcome of await settled) {
        expect(outcome).toMatchObject({
          status: "rejected",
          reason: { name: "NodeError", code: "CALL_ABORTED", cause: reason },
        });
      }
      await expect.poll(subject.waiting).toBe(0);
      expect((await run.describe()).status).toBe("running");
    });

    test("lists and histories come in pages", async () => {
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.unshift((await workflows.start("strict", i)).runId);
      const listed: RunSummary[] = [];
      for (let pageToken: string | undefined, more = true; more; more = pageToken !== undefined) {
        const page = await workflows.listPage(
          { workflowType: "strict" },
          { pageSize: 2, ...(pageToken === undefined ? {} : { pageToken }) },
        );
        expect(page.runs.length).toBeLessThanOrEqual(2);
        listed.push(...page.runs);
        pageToken = page.nextPageToken;
      }
      expect(listed.map(({ runId }) => runId).slice(0, 5)).toEqual(ids);
      const first = await workflows.historyPage("first", { pageSize: 1 });
      const second = await workflows.historyPage("first", { pageSize: 1, pageToken: first.nextPageToken ?? "" });
      expect([...first.records, ...second.records].map(({ path }) => path)).toEqual(["price#0", "nothing#0"]);
      expect(second.nextPageToken).toBeUndefined();
      const { nextPageToken = "" } = await workflows.listPage({}, { pageSize: 1 });
      await expectAlike(
        "a token of a list for a history",
        workflows.historyPage("first", { pageToken: nextPageToken }),
        {
          code: "REQUEST_INVALID",
        },
      );
    });

    exportCases(() => subject, held);
    const ofRuns = [childCases, stepCases, bytesCases, traceCases, delayCases, scheduleCases, streamCases];
    const ofOthers = [eventCases, askingCases, mendingCases, queueCases, lockCases, operationCases, findingCases];
    for (const declare of [...ofRuns, ...ofOthers]) declare(() => subject);

    test("a list is newest first, and can be narrowed", async () => {
      const run = await held();
      const runs = await Array.fromAsync(workflows.list());
      expect(runs[0]?.runId).toBe(run.runId);
      expect(runs.at(-1)?.runId).toBe("first");
      const found = await Array.fromAsync(workflows.list({ status: "running", workflowType: "gated" }));
      expect(found.filter(({ status, workflowType }) => status !== "running" || workflowType !== "gated")).toEqual([]);
      expect(found.map(({ runId }) => runId)).toContain(run.runId);
    });
  });
}
