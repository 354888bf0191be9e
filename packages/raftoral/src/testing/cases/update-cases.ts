/** What every implementation of `Workflows` does alike with updates, and with messages that start their run: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import { Payload } from "../../api/payloads/payload.ts";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { account, balance, go, pay } from "../conformance-workflows.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function updateCases(subject: () => { readonly workflows: Workflows }): void {
  const opened = (name: string) => subject().workflows.start(account, 10, { runId: `account-${name}` });

  test("an update is executed once for its id, and answered by the run's body", async () => {
    const run = await opened("once");
    expect(await run.update(pay, { amount: 3 }, { id: "u" })).toEqual({ left: 7 });
    expect(await run.update(pay, { amount: 3 }, { id: "u" })).toEqual({ left: 7 });
    const left: number = await run.update(balance);
    expect(left).toBe(7);
    const written = Payload.of({ amount: 2 }, "it");
    expect(await subject().workflows.update(run.runId, "pay", written)).toEqual({ left: 5 });
    await run.signal("paid-in", 4);
    await expect.poll(() => run.update(balance), { timeout: 10_000 }).toBe(9);
    await run.signal(go);
    expect(await run.result()).toEqual({ sum: 9, received: 1 });
    expect(await run.update(pay, { amount: 3 }, { id: "u" })).toEqual({ left: 7 });
    await expectAlike("an update after the end", run.update(balance), { code: "WORKFLOW_FINISHED" });
  });

  test("an update that is accepted is waited for later", async () => {
    const run = await opened("accepted");
    const accepted = await run.startUpdate(pay, { amount: 3 });
    expect(accepted.runId).toBe(run.runId);
    expect(await accepted.result()).toEqual({ left: 7 });
    expect(await run.update(pay, { amount: 3 }, { id: accepted.id })).toEqual({ left: 7 });
  });

  test("an update that is refused, or fails, or has no handler, is told, and the run goes on", async () => {
    const run = await opened("refused");
    const refused = { name: "WorkflowError", code: "UPDATE_REJECTED", message: "There are 10." };
    await expectAlike("a refused update", run.update(pay, { amount: 11 }), refused);
    await expectAlike("an input that is not the schema's", run.update(pay, { amount: 0 }), { code: "INPUT_INVALID" });
    await expectAlike("an input that the owner's schema refuses", run.update("pay", { amount: 0 }), {
      code: "UPDATE_REJECTED",
    });
    const failed = { name: "UpdateFailedError", code: "UPDATE_FAILED", update: "break" };
    const failure = { name: "RangeError", message: "It is broken.", code: "BROKEN" };
    await expect(run.update("break")).rejects.toMatchObject({ ...failed, failure });
    await expectAlike("no handler of an update", run.update("none"), { name: "WorkflowError", code: "UPDATE_UNKNOWN" });
    expect((await run.describe()).status).toBe("running");
  });

  test("an update that takes longer than its caller waits says how long that was, and under which id to ask again", async () => {
    const run = await opened("slow");
    const late = run.update("slow", undefined, { id: "s", timeoutMs: 80 });
    const message =
      /^Update slow of run account-slow was not answered within 80 ms, and may go on\. Ask again with the id s:/;
    await expectAlike("an update too long", late, { name: "RaftError", code: "DEADLINE_EXCEEDED" });
    await expect(run.update("slow", undefined, { id: "s", timeoutMs: 80 })).rejects.toThrow(message);
    const unknown: unknown = await run.update("slow", undefined, { timeoutMs: 80 }).catch((error: unknown) => error);
    expect(unknown).toMatchObject({ details: { updateId: expect.stringMatching(/^[\w-]{36}$/), timeoutMs: 80 } });
    const called = subject().workflows.object("purse", "slow").call("wait", undefined, { id: "w", timeoutMs: 80 });
    await expect(called).rejects.toThrow(/^Update wait of run purse\/slow was not answered within 80 ms/);
  });

  test("an id is one update: another name or another input under it is refused", async () => {
    const run = await opened("conflict");
    const conflict = { name: "WorkflowError", code: "UPDATE_CONFLICT" };
    expect(await run.update(pay, { amount: 3 }, { id: "u" })).toEqual({ left: 7 });
    await expectAlike("an update with another input", run.update(pay, { amount: 4 }, { id: "u" }), conflict);
    await expectAlike("another update under an id", run.update(balance, undefined, { id: "u" }), conflict);
    const accepted = run.startUpdate("none", undefined, { id: "u" });
    await expectAlike("another update under an id, to be accepted", accepted, conflict);
    const { workflows } = subject();
    const starting = workflows.updateWithStart(account, 10, pay, { amount: 4 }, { runId: run.runId, id: "u" });
    await expectAlike("an update that may start its run, with another input", starting, conflict);
    // Written in another way, it is the same input.
    const written = Payload.ofBytes(new TextEncoder().encode('{ "amount": 3.0 }'), "it");
    expect(await workflows.update(run.runId, "pay", written, { id: "u" })).toEqual({ left: 7 });
  });

  test("a signal starts its run if there is none, and both or neither are there", async () => {
    const { workflows } = subject();
    const options = { runId: "started-by-signal", signalId: "s" };
    const first = await workflows.signalWithStart(account, 10, go, undefined, options);
    const again = await workflows.signalWithStart(account, 99, go, undefined, options);
    expect([first.created, again.runId]).toEqual([true, "started-by-signal"]);
    expect(await first.result()).toEqual({ sum: 10, received: 0 });
    const late = workflows.signalWithStart(account, 1, go, undefined, { runId: options.runId });
    await expectAlike("a signal for a run that has ended", late, { code: "WORKFLOW_FINISHED" });
    const next = await workflows.signalWithStart(account, 1, go, undefined, {
      runId: options.runId,
      ifFinished: "start",
    });
    expect([next.created, await next.result()]).toEqual([true, { sum: 1, received: 0 }]);
    const unknown = workflows.signalWithStart("none", undefined, go, undefined, { runId: "never" });
    await expectAlike("a type that is not there", unknown, { code: "WORKFLOW_TYPE_UNKNOWN" });
  });

  test("an update starts its run if there is none, and is answered by the one that is there", async () => {
    const { workflows } = subject();
    const options = { runId: "started-by-update" };
    expect(await workflows.updateWithStart(account, 10, pay, { amount: 1 }, options)).toEqual({ left: 9 });
    expect(await workflows.updateWithStart(account, 50, pay, { amount: 1 }, { ...options, id: "u" })).toEqual({
      left: 8,
    });
    await workflows.run(options.runId).signal(go);
    await workflows.run(options.runId).wait();
    expect(await workflows.updateWithStart(account, 50, pay, { amount: 1 }, { ...options, id: "u" })).toEqual({
      left: 8,
    });
    const late = workflows.updateWithStart(account, 50, balance, undefined, options);
    await expectAlike("an update of a run that has ended", late, { code: "WORKFLOW_FINISHED" });
    const next = workflows.updateWithStart(account, 50, balance, undefined, { ...options, ifFinished: "start" });
    expect(await next).toBe(50);
  });

  test.each<[name: string, call: (workflows: Workflows) => Promise<unknown>, code: string]>([
    ["an update of a run that is not there", (w) => w.update("none", "pay"), "WORKFLOW_NOT_FOUND"],
    ["an update without a name", (w) => w.update("a", "", 1), "NAME_INVALID"],
    ["an update's name that is too long", (w) => w.update("a", "x".repeat(201)), "NAME_INVALID"],
    ["an update without a run's id", (w) => w.update("", "b"), "WORKFLOW_ID_INVALID"],
    ["an id of an update that is empty", (w) => w.update("a", "b", 1, { id: "" }), "REQUEST_INVALID"],
    ["an input of an update that JSON does not carry", (w) => w.update("a", "b", 1n), "VALUE_NOT_SERIALIZABLE"],
    ["an input of an update that is too large", (w) => w.update("a", "b", "x".repeat(60_000)), "PAYLOAD_TOO_LARGE"],
    [
      "a signal that starts a run without an id",
      (w) => w.signalWithStart(account, 1, go, undefined, {} as never),
      "WORKFLOW_ID_INVALID",
    ],
    [
      "a message for a run that has ended, told to do something else",
      (w) => w.updateWithStart(account, 1, balance, undefined, { runId: "a", ifFinished: "go" as never }),
      "REQUEST_INVALID",
    ],
  ])("%s is refused", async (name, call, code) => {
    await expectAlike(name, call(subject().workflows), { code });
  });
}
