import { exclusive, object, type StandardSchemaV1, shared, workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

interface Balance {
  readonly balance: number;
}

const positive: StandardSchemaV1<number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "number" && value > 0 ? { value } : { issues: [{ message: "is no positive number" }] },
  },
};

const account = object(
  "account",
  { version: 1, state: { balance: 0 } as Balance },
  {
    deposit: exclusive(async (ctx, amount: number) => {
      const { balance } = await ctx.state.update((state) => ({ balance: state.balance + amount }));
      return balance;
    }),
    slow: exclusive(async (ctx, amount: number) => {
      const { balance } = ctx.state.value;
      await ctx.sleep("10s");
      await ctx.state.set({ balance: balance + amount });
      return ctx.key;
    }),
    total: shared((ctx) => ctx.state.value.balance),
    patient: shared(async (ctx, seconds: number) => {
      const before = ctx.state.value.balance;
      await ctx.sleep(seconds * 1000);
      return { before, after: ctx.state.value.balance };
    }),
    withdraw: exclusive(
      async (ctx, amount) => {
        const { balance } = await ctx.state.update((state) => ({ balance: state.balance - amount }));
        if (balance < 0) throw new RangeError(`${balance} is too little`);
        return balance;
      },
      { input: positive },
    ),
    cheat: shared(async (ctx) => {
      // @ts-expect-error A shared handler does not change the state.
      await ctx.state.set({ balance: 1_000_000 });
    }),
    scratch: exclusive((ctx) => {
      (ctx.state.value as { balance: number }).balance = 1;
    }),
    big: exclusive((ctx) => ctx.state.set({ balance: "x".repeat(2 * 1024 * 1024) as never })),
    drop: exclusive(async (ctx) => {
      void Promise.reject(new Error("nothing handles it"));
      await ctx.sleep(1);
      return "dropped";
    }),
  },
);

describe("an object", () => {
  test("is called from any node, once per id, and its state is read without running code", async () => {
    await using cluster = await TestCluster.start({ nodes: 3, workflows: [account] });
    const alice = cluster.workflows.object(account, "alice");
    expect(alice.runId).toBe("account/alice");
    expect(await alice.state()).toBeUndefined();
    expect(await alice.call("total")).toBe(0);
    expect(await alice.call("deposit", 10, { id: "d1" })).toBe(10);
    expect(await alice.call("deposit", 10, { id: "d1" })).toBe(10);
    expect(await cluster.workflows.object<typeof account>("account", "alice").call("deposit", 5)).toBe(15);
    expect(await cluster.workflows.object(account, "bob").call("total")).toBe(0);
    expect(await alice.state()).toEqual({ balance: 15 });
    await cluster.time.untilIdle();
    const objects = await Array.fromAsync(cluster.workflows.objects(account), ({ key, status }) => [key, status]);
    // Bob was only asked, and costs nothing.
    expect(objects).toEqual([["alice", "running"]]);
  });

  test("runs exclusive calls one at a time in their order, and shared ones beside them", async () => {
    await using cluster = await TestCluster.start({ workflows: [account] });
    const alice = cluster.workflows.object(account, "alice");
    await alice.call("deposit", 1);
    const patient = alice.call("patient", 60);
    const slow: Promise<string>[] = [];
    for (const amount of [10, 100, 1000]) slow.push(alice.call("slow", amount));
    await cluster.time.advance("5s");
    expect(await alice.call("total")).toBe(1);
    await cluster.time.advance("10s");
    expect(await alice.state()).toEqual({ balance: 11 });
    await cluster.time.advance("16s");
    expect(await Promise.all(slow)).toEqual(["alice", "alice", "alice"]);
    expect(await alice.state()).toEqual({ balance: 1111 });
    await cluster.time.advance("60s");
    expect(await patient).toEqual({ before: 1, after: 1111 });
  });

  test("fails the caller of a handler that throws, keeps what it changed, and refuses bad inputs before they are queued", async () => {
    await using cluster = await TestCluster.start({
      workflows: [account],
      nodeOptions: { blobLimits: { maxBytes: 1024 * 1024 } },
    });
    const alice = cluster.workflows.object(account, "alice");
    await alice.call("deposit", 10);
    await expect(alice.call("withdraw", 11)).rejects.toMatchObject({
      name: "UpdateFailedError",
      failure: { name: "RangeError", message: "-1 is too little" },
    });
    expect(await alice.call("total")).toBe(-1);
    await expect(alice.call("withdraw", -1)).rejects.toMatchObject({ code: "INPUT_INVALID" });
    const unchecked = cluster.workflows.object<typeof account>("account", "alice");
    await expect(unchecked.call("withdraw", -1)).rejects.toMatchObject({ code: "UPDATE_REJECTED" });
    await expect(unchecked.sendLater("withdraw", -1, { after: "1s" })).rejects.toMatchObject({
      code: "UPDATE_REJECTED",
    });
    await expect(unchecked.call("none" as "total")).rejects.toMatchObject({ code: "UPDATE_UNKNOWN" });
    await expect(alice.call("cheat")).rejects.toMatchObject({ failure: { code: "CONTEXT_IN_HANDLER" } });
    await expect(alice.call("scratch")).rejects.toMatchObject({ failure: { name: "TypeError" } });
    await expect(alice.call("big")).rejects.toMatchObject({ failure: { name: "VariableFailedError" } });
    // What a handler drops does not end the object, and with it its state.
    expect(await alice.call("drop")).toBe("dropped");
    expect(await alice.call("deposit", 2)).toBe(1);
  });

  test("is deleted after the exclusive calls before, and its key is used again at once", async () => {
    await using cluster = await TestCluster.start({ workflows: [account] });
    const alice = cluster.workflows.object(account, "alice");
    await alice.delete();
    await alice.call("deposit", 1);
    await alice.sendLater("deposit", 500, { after: "1h" });
    const slow = alice.call("slow", 10);
    await cluster.time.advance("1s");
    const deleted = alice.delete();
    await cluster.time.advance("1s");
    const after = alice.call("deposit", 7);
    await cluster.time.advance("5s");
    expect(await alice.state()).toEqual({ balance: 1 });
    await cluster.time.advance("10s");
    await slow;
    await deleted;
    expect(await after).toBe(7);
    expect(await alice.state()).toEqual({ balance: 7 });
    await alice.delete();
    expect(await alice.state()).toBeUndefined();
    await cluster.time.untilIdle();
    expect((await cluster.workflows.describe(alice.runId)).status).toBe("completed");
    expect(await alice.call("deposit", 3, { id: "again" })).toBe(3);
    await cluster.time.advance("2h");
    // The call that was to begin later went with the state.
    expect(await alice.call("deposit", 3, { id: "again" })).toBe(3);
    expect(await alice.call("total")).toBe(3);
  });

  test("begins a call later that was sent for later, whatever dies meanwhile", async () => {
    await using cluster = await TestCluster.start({ nodes: 3, workflows: [account] });
    const alice = cluster.workflows.object(account, "alice");
    await alice.call("deposit", 1);
    await alice.sendLater("deposit", 10, { after: "1h", id: "later" });
    await alice.sendLater("deposit", 10, { after: "1h", id: "later" });
    await alice.sendLater("deposit", 100, { after: "2h" });
    const accepted = await alice.send("slow", 1000);
    await cluster.kill((await cluster.workflows.describe(alice.runId)).owner);
    await cluster.time.advance("1m");
    expect(await accepted.result()).toBe("alice");
    expect(await alice.state()).toEqual({ balance: 1001 });
    await alice.renew();
    await cluster.time.advance("1h");
    expect(await alice.state()).toEqual({ balance: 1011 });
    expect((await cluster.workflows.describe(alice.runId)).generation).toBe(2);
    await cluster.time.advance("1h");
    expect(await alice.state()).toEqual({ balance: 1111 });
  });

  test("is not started: by its type neither, nor as a child", async () => {
    const parent = workflow("parent", { version: 1 }, async (ctx) => await ctx.run("account", { balance: 5 } as never));
    const mistaken = workflow("mistaken", { version: 1 }, async (ctx) => {
      return await ctx.object("parent", "x").call("deposit", 1);
    });
    await using cluster = await TestCluster.start({ nodes: 1, workflows: [account, parent, mistaken] });
    const { workflows } = cluster;
    const advice = /Call it with workflows.object\("account", key\)/;
    await expect(workflows.start(account as never, undefined as never)).rejects.toThrow(advice);
    await expect(workflows.start("account", { balance: 5 })).rejects.toThrow(advice);
    await expect((await workflows.start(parent)).result()).rejects.toThrow(advice);
    await expect((await workflows.start(mistaken)).result()).rejects.toThrow(/parent is a workflow/);
    await expect(workflows.describe("parent/x")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    expect(await Array.fromAsync(workflows.objects("account"))).toEqual([]);
  });
});
