/** What every implementation of `Workflows` does alike with virtual objects: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import { Payload } from "../../api/payloads/payload.ts";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { account, purse } from "../conformance-workflows.ts";

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function objectCases(subject: () => { readonly workflows: Workflows }): void {
  const named = (key: string) => subject().workflows.object(purse, key);

  test("an object is called under its key, once per id, and its state is read", async () => {
    const own = named("a/b");
    expect([own.key, own.runId]).toEqual(["a/b", "purse/a%2Fb"]);
    expect(await own.state()).toBeUndefined();
    const sum: number = await own.call("put", { amount: 3 }, { id: "p" });
    expect(sum).toBe(3);
    expect(await own.call("put", { amount: 3 }, { id: "p" })).toBe(3);
    expect(await own.call("put", Payload.of({ amount: 2 }, "it"))).toBe(5);
    expect(await subject().workflows.object<typeof purse>("purse", "a/b").call("sum")).toBe(5);
    const accepted = await own.send("put", { amount: 1 });
    expect(accepted.runId).toBe(own.runId);
    expect(await accepted.result()).toBe(6);
    expect(await own.state()).toEqual({ sum: 6 });
    const found = await Array.fromAsync(subject().workflows.objects(purse));
    expect(found.find(({ key }) => key === "a/b")).toMatchObject({ runId: own.runId, version: 1, status: "running" });
  });

  test("an object begins calls that were sent for later, is renewed and deleted, and its key is used again", async () => {
    const own = named("later");
    await own.renew();
    await own.delete();
    expect(await own.call("put", { amount: 1 })).toBe(1);
    await own.sendLater("put", { amount: 10 }, { after: 1, id: "l" });
    await own.sendLater("put", { amount: 10 }, { after: 1, id: "l" });
    await expect.poll(() => own.state(), { timeout: 10_000 }).toEqual({ sum: 11 });
    await own.renew();
    expect(await own.call("put", { amount: 1 })).toBe(12);
    await own.delete();
    expect(await own.state()).toBeUndefined();
    expect(await own.call("put", { amount: 2 })).toBe(2);
  });

  test("an id is one call: another handler, another input or another time under it is refused", async () => {
    const own = named("ids");
    const conflict = { name: "WorkflowError", code: "UPDATE_CONFLICT" };
    expect(await own.call("put", { amount: 1 }, { id: "c" })).toBe(1);
    await expectAlike("a call with another input", own.call("put", { amount: 2 }, { id: "c" }), conflict);
    await expectAlike("another call under an id", own.send("sum", undefined, { id: "c" }), conflict);
    const later = { after: "1h", id: "c" } as const;
    await expectAlike("a call for later under a used id", own.sendLater("put", { amount: 1 }, later), conflict);
    await own.sendLater("put", { amount: 1 }, { after: "1h", id: "l" });
    await own.sendLater("put", { amount: 1 }, { after: "1h", id: "l" });
    await expectAlike("a call under the id of one for later", own.call("put", { amount: 1 }, { id: "l" }), conflict);
    const sooner = own.sendLater("put", { amount: 1 }, { after: "1m", id: "l" });
    await expectAlike("a call for later at another time", sooner, conflict);
    await own.delete({ id: "d" });
    await expectAlike("a call under the id of a deletion", own.call("sum", undefined, { id: "d" }), conflict);
  });

  test("objects are not started, workflows are not called, and neither leaves a run", async () => {
    const { workflows } = subject();
    const refused = { code: "REQUEST_INVALID" };
    const given = { runId: "purse/started" };
    await expectAlike("a start of an object", workflows.start(purse as never, undefined as never, given), refused);
    await expectAlike("a start of an object by its type", workflows.start("purse", undefined, given), refused);
    const called = workflows.object("account", "called").call("pay", { amount: 1 });
    await expectAlike("a call of a workflow as an object", called, refused);
    const sent = workflows.object("account", "called").sendLater("pay", { amount: 1 }, { after: "1s" });
    await expectAlike("a call for later of a workflow", sent, refused);
    for (const runId of ["purse/started", "account/called"])
      await expect(workflows.describe(runId)).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
  });

  test("what cannot be called is refused, and the object goes on", async () => {
    const own = named("refused");
    const unchecked = subject().workflows.object<typeof purse>("purse", "refused");
    await expectAlike("a handler's input that its schema refuses", own.call("put", { amount: 0 }), {
      code: "INPUT_INVALID",
    });
    await expectAlike("an input of a handler that the owner's schema refuses", unchecked.call("put", { amount: 0 }), {
      code: "UPDATE_REJECTED",
    });
    await expectAlike(
      "a call for later that the owner's schema refuses",
      unchecked.sendLater("put", { amount: 0 }, { after: "1s" }),
      { code: "UPDATE_REJECTED" },
    );
    await expectAlike("no handler of an object", unchecked.call("none" as "sum"), { code: "UPDATE_UNKNOWN" });
    const failed = { name: "UpdateFailedError", failure: { name: "RangeError", message: "It is torn." } };
    await expect(own.call("tear")).rejects.toMatchObject(failed);
    expect(await own.call("sum")).toBe(0);
  });

  test.each<[name: string, call: (workflows: Workflows) => unknown, code: string]>([
    ["an object without a key", (w) => w.object(purse, ""), "NAME_INVALID"],
    ["an object without a type", (w) => w.object("", "a"), "REQUEST_INVALID"],
    ["a key that is too long", (w) => w.object(purse, "k".repeat(201)), "NAME_INVALID"],
    ["an object that is a workflow's definition", (w) => w.object(account as never, "a"), "REQUEST_INVALID"],
    ["an object of an unknown type", (w) => w.object("none", "a").call("put", 1), "WORKFLOW_TYPE_UNKNOWN"],
    ["a call with an empty id", (w) => w.object(purse, "a").call("sum", undefined, { id: "" }), "REQUEST_INVALID"],
    [
      "a call for later without a time",
      (w) => w.object(purse, "a").sendLater("sum", undefined, {} as never),
      "DURATION_INVALID",
    ],
    ["a list of objects without a type", (w) => Array.fromAsync(w.objects("")), "REQUEST_INVALID"],
  ])("%s is refused", async (name, call, code) => {
    await expectAlike(name, (async () => call(subject().workflows))(), { code });
  });
}
