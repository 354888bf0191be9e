/** Exclusive calls that would wait for themselves are refused, whatever lies between; those that would not are carried out. */
import { exclusive, object, shared, signal, update, workflow } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { TestCluster } from "./test-cluster.ts";

/** What a visitor does next: by the object's handler, or by what it asks between. */
type Hop = readonly [to: string, how: "enter" | "look" | "relay" | "child" | "stray child" | "object:delete"];

const ask = update<string, readonly Hop[]>("ask");
const stop = signal("stop");

async function onward(
  ctx: Pick<Parameters<Parameters<typeof workflow>[2]>[0], "object" | "update" | "run" | "start">,
  way: readonly Hop[],
): Promise<string> {
  const [first, ...rest] = way;
  if (first === undefined) return "end";
  const [to, how] = first;
  if (how === "relay") return await ctx.update(to, ask, rest);
  if (how === "child") return await ctx.run<typeof envoy>("envoy", rest);
  if (how === "stray child") {
    await ctx.start<typeof envoy>("envoy", rest, { id: to, parentClosePolicy: "abandon" });
    return "started";
  }
  if (how === "object:delete") return String(await ctx.update(`room/${to}`, how));
  return await ctx.object<typeof room>("room", to).call(how, rest);
}

const room = object(
  "room",
  { version: 1, state: 0 },
  {
    enter: exclusive(async (ctx, way: readonly Hop[]): Promise<string> => {
      await ctx.state.update((count) => count + 1);
      return await onward(ctx, way);
    }),
    look: shared(async (ctx, way: readonly Hop[]): Promise<string> => await onward(ctx, way)),
  },
);

const envoy = workflow(
  "envoy",
  { version: 1 },
  async (ctx, way: readonly Hop[]): Promise<string> => await onward(ctx, way),
);

const relay = workflow("relay", { version: 1 }, async (ctx) => {
  ctx.onUpdate(ask, async (own, way): Promise<string> => await onward(own, way));
  await ctx.waitFor(stop);
});

const WAYS: Readonly<Record<string, readonly Hop[]>> = {
  "its own object": [["a", "enter"]],
  "the deletion of its own object": [["a", "object:delete"]],
  "another object that calls back": [
    ["b", "enter"],
    ["a", "enter"],
  ],
  "three objects in a circle": [
    ["b", "enter"],
    ["c", "enter"],
    ["a", "enter"],
  ],
  "a shared handler of another object that calls back": [
    ["b", "look"],
    ["a", "enter"],
  ],
  "a shared handler of its own that calls an exclusive one": [
    ["a", "look"],
    ["a", "enter"],
  ],
  "a run whose update calls back": [
    ["r", "relay"],
    ["a", "enter"],
  ],
  "a child that calls back": [
    ["x", "child"],
    ["a", "enter"],
  ],
  "a child of another object's handler": [
    ["b", "enter"],
    ["x", "child"],
    ["r", "relay"],
    ["a", "enter"],
  ],
};

test.for(Object.entries(WAYS))("an exclusive handler that calls %s is refused", async ([, way]) => {
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [room, envoy, relay] });
  const { workflows } = cluster;
  await workflows.start(relay, undefined, { runId: "r" });
  const called = workflows.object(room, "a").call("enter", way);
  await expect(called).rejects.toThrow(/would wait for it for ever \(room\/a -> /);
  // Nothing of the circle stays behind: each object takes the next call.
  for (const key of ["a", "b", "c"]) expect(await workflows.object(room, key).call("enter", [])).toBe("end");
});

test("a call that was sent for later is a handler, too", async () => {
  await using cluster = await TestCluster.start({ nodes: 1, workflows: [room, envoy, relay] });
  const a = cluster.workflows.object(room, "a");
  await a.sendLater(
    "enter",
    [
      ["b", "enter"],
      ["a", "enter"],
    ],
    { after: "1s" },
  );
  await cluster.time.advance("5s");
  expect(await a.call("enter", [])).toBe("end");
  expect(await a.state()).toBe(2);
});

const FINE: Readonly<Record<string, readonly Hop[]>> = {
  "a shared handler of its own object": [["a", "look"]],
  "another object, whose shared handler reads it": [
    ["b", "enter"],
    ["a", "look"],
  ],
  "the same other object twice in a row by a shared one": [
    ["b", "look"],
    ["b", "look"],
    ["b", "enter"],
  ],
};

test.for(Object.entries(FINE))("an exclusive handler may call %s", async ([, way]) => {
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [room, envoy, relay] });
  expect(await cluster.workflows.object(room, "a").call("enter", way)).toBe("end");
});

test("a child that its handler does not wait for may call the handler's object", async () => {
  await using cluster = await TestCluster.start({ nodes: 3, workflows: [room, envoy, relay] });
  const a = cluster.workflows.object(room, "a");
  expect(
    await a.call("enter", [
      ["stray", "stray child"],
      ["a", "enter"],
    ]),
  ).toBe("started");
  expect(await cluster.workflows.run("stray").result()).toBe("end");
  expect(await a.state()).toBe(2);
});

test("calls in a row are bounded, and the one that is too many is refused", async () => {
  await using cluster = await TestCluster.start({ nodes: 1, workflows: [room, envoy, relay] });
  const way = (hops: number): readonly Hop[] => Array.from({ length: hops }, () => ["a", "look"] as const);
  const a = cluster.workflows.object(room, "a");
  expect(await a.call("look", way(32))).toBe("end");
  await expect(a.call("look", way(33))).rejects.toThrow(/32 calls wait for each other/);
});

test("children may be started by children for as long as they like, and call", async () => {
  await using cluster = await TestCluster.start({ nodes: 1, workflows: [room, envoy, relay] });
  const deep: readonly Hop[] = Array.from({ length: 40 }, () => ["x", "child"] as const);
  expect(await cluster.workflows.object(room, "a").call("look", [...deep, ["a", "enter"]])).toBe("end");
});
