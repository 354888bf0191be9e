import { describe, expect, test } from "vitest";
import { stream } from "../../author/stream.ts";
import { decodeValue } from "../../author/values/json-value.ts";
import { workflow } from "../../author/workflow.ts";
import { decodeCommand } from "../../commands/command-codec.ts";
import type { StreamAppend } from "../../commands/history/stream-append.ts";
import { fast, Latch, plain, type World, world } from "../../testing/workflow-world.ts";

const tokens = stream<string>("tokens");

/** What a stream has on a node: offset, value and who wrote it. */
async function chunksOn(w: World, nodeId: number, runId: string, name = "tokens") {
  const page = await w.cluster.node(nodeId).engine.stream({ runId, stream: name });
  const chunks = (page?.chunks ?? []).map(async ({ offset, value, step, attempt }) => {
    const text = decodeValue(await plain(value), "a chunk");
    return step === undefined ? [offset, text] : [offset, text, `${step}/${attempt}`];
  });
  return Promise.all(chunks);
}

function appends(w: World): readonly StreamAppend[] {
  return w.cluster.log.map((bytes) => decodeCommand(bytes)).filter((command) => command.kind === "StreamAppend");
}

/** Kinds of all commands of runs, in the order of the log. */
function kinds(w: World): readonly string[] {
  return w.cluster.log.map((bytes) => decodeCommand(bytes).kind).filter((kind) => kind !== "NodeRegister");
}

describe("a stream", () => {
  test("has what the body and its steps write, in order, on every node", async () => {
    const w = world();
    const body = workflow("talk", { version: 1 }, async (ctx) => {
      const out = ctx.stream(tokens);
      await out.write("begin");
      await ctx.step("think", async () => {
        for (const word of ["a", "b"]) await out.write(word);
      });
      await ctx.scope("s", async (branch) => branch.stream(tokens).write("in a scope"));
      await out.end();
      return "done";
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    expect(await run.result()).toBe("done");
    for (const nodeId of [1, 2, 3]) {
      expect(await chunksOn(w, nodeId, run.id)).toEqual([
        [0, "begin"],
        [1, "a", "think#0/1"],
        [2, "b", "think#0/1"],
        [3, "in a scope"],
      ]);
    }
    // A step's record and the run's end come after the chunks written before them.
    const recorded = kinds(w).findIndex((kind) => kind === "Checkpoint" || kind === "Records");
    const chunks = (from: number, to?: number) =>
      w.cluster.log
        .slice(from, to)
        .map((bytes) => decodeCommand(bytes))
        .flatMap((command) => (command.kind === "StreamAppend" ? command.parts : []))
        .flatMap(({ spans }) => spans.flatMap(({ values }) => values)).length;
    const registered = w.cluster.log.length - kinds(w).length;
    expect(chunks(0, registered + recorded)).toBe(3);
    expect(kinds(w).at(-1)).toMatch(/WorkflowEnd|Records/);
  });

  test("takes one entry of the log for what is written at once, and one in 20 ms", async () => {
    const w = world([1]);
    const body = workflow("talk", { version: 1 }, async (ctx) => {
      const [one, two] = [ctx.stream<number>("one"), ctx.stream<number>("two")];
      for (let n = 0; n < 100; n++) {
        await Promise.all([one.write(n), two.write(n)]);
        if (n < 50) await ctx.step("s", () => n);
      }
    });
    await w.startAll([body]);
    const startedMs = performance.now();
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await run.result();
    const tookMs = performance.now() - startedMs;
    const entries = appends(w);
    expect(entries.length).toBeLessThanOrEqual(tookMs / 20 + 1);
    expect(entries.every(({ parts }) => parts.length === 2)).toBe(true);
    expect((await chunksOn(w, 1, run.id, "two")).length).toBe(100);
  });

  test("does not hold up what does not write to it", async () => {
    const w = world([1]);
    const body = workflow("talk", { version: 1 }, async (ctx) => {
      await ctx.stream(tokens).write("one");
      await ctx.stream(tokens).write("two");
      for (let n = 0; n < 3; n++) await ctx.step("s", () => n);
    });
    await w.startAll([body]);
    w.cluster.node(1).fault = (command) => (command.kind === "StreamAppend" ? "lost" : "none");
    const committed = w.next("record-committed", ({ path }) => path === "s#2");
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await committed;
    expect(await chunksOn(w, 1, run.id)).toEqual([]);
    w.cluster.node(1).fault = () => "none";
    await run.result();
    expect(await chunksOn(w, 1, run.id)).toEqual([
      [0, "one"],
      [1, "two"],
    ]);
  });

  test("goes on after a takeover: the body's chunks once, those of a step again", async () => {
    const w = world();
    const written = new Latch();
    const body = workflow("talk", { version: 1 }, async (ctx) => {
      const out = ctx.stream(tokens);
      const branch = async (name: string) =>
        ctx.scope(name, async (scoped) => {
          const inScope = scoped.stream(tokens);
          await inScope.write(`${name} 1`);
          await scoped.step("first", () => name);
          await inScope.write(`${name} 2`);
        });
      await Promise.all([branch("x"), branch("y")]);
      await ctx.step("think", async () => {
        await out.write(`on ${ctx.nodeId}`);
        if (ctx.nodeId !== 1) return;
        written.open();
        await new Promise(() => {});
      });
      await out.write("end");
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined, { id: "r" });
    await written.opened;
    await expect.poll(async () => (await chunksOn(w, 2, "r")).length).toBe(5);
    const before = await chunksOn(w, 2, "r");
    w.kill(1);
    w.cluster.lead(2);
    w.cluster.reportLost(1);
    await w.runtime(2).result(run.id);
    const after = await chunksOn(w, 3, "r");
    expect(after.slice(0, 5)).toEqual(before);
    expect(
      after
        .slice(0, 4)
        .map(([, text]) => text)
        .toSorted(),
    ).toEqual(["x 1", "x 2", "y 1", "y 2"]);
    expect(after.slice(4)).toEqual([
      [4, "on 1", "think#0/1"],
      [5, expect.stringMatching(/^on [23]$/), "think#0/1"],
      [6, "end"],
    ]);
    const page = await w.cluster.node(3).engine.stream({ runId: "r", stream: "tokens" });
    expect(page?.chunks[5]?.epoch).toBeGreaterThan(page?.chunks[4]?.epoch ?? 0);
  });

  test("tells which attempt of a step wrote", async () => {
    const w = world([1]);
    const body = workflow("talk", { version: 1 }, async (ctx) => {
      const out = ctx.stream(tokens);
      await ctx.step(
        "think",
        async ({ attempt }) => {
          await out.write(`try ${attempt}`);
          if (attempt < 2) throw new Error("again");
        },
        { retry: fast },
      );
    });
    await w.startAll([body]);
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await run.result();
    expect(await chunksOn(w, 1, run.id)).toEqual([
      [0, "try 1", "think#0/1"],
      [1, "try 2", "think#0/2"],
    ]);
  });

  test("appends once what was committed without an answer", async () => {
    const w = world([1]);
    const body = workflow("talk", { version: 1 }, async (ctx) => {
      const out = ctx.stream(tokens);
      await out.write("one");
      await out.end();
    });
    await w.startAll([body]);
    let faults = 3;
    w.cluster.node(1).fault = ({ kind }) =>
      kind === "StreamAppend" && faults-- > 0 ? (faults === 1 ? "lost" : "applied-but-unknown") : "none";
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await run.result();
    expect(appends(w).length).toBeGreaterThan(1);
    expect(await chunksOn(w, 1, run.id)).toEqual([[0, "one"]]);
  });

  test("shows nothing that goes back to an answer which is not committed", async () => {
    const w = world([1]);
    const body = workflow("talk", { version: 1 }, async (ctx) => {
      const at = await ctx.now();
      await ctx.stream<number>("tokens").write(at);
      await ctx.step("s", () => 1);
    });
    await w.startAll([body]);
    let faults = 3;
    w.cluster.node(1).fault = ({ kind }) => (kind === "Checkpoint" && faults-- > 0 ? "lost" : "none");
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await run.result();
    const commands = w.cluster.log.map((bytes) => decodeCommand(bytes));
    const recorded = commands.findIndex((command) => {
      if (command.kind === "Records") return command.records.some(({ path }) => path === "now#0");
      return command.kind === "Checkpoint" && command.path === "now#0";
    });
    expect(recorded).toBeGreaterThan(-1);
    expect(commands.findIndex(({ kind }) => kind === "StreamAppend")).toBeGreaterThan(recorded);
  });

  test("makes writers wait while the buffer is full", async () => {
    const w = world([1]);
    let written = 0;
    const body = workflow("talk", { version: 1 }, async (ctx) => {
      const out = ctx.stream(tokens);
      for (let n = 0; n < 40; n++) {
        await out.write("x".repeat(100));
        written += 1;
      }
    });
    await w.startAll([body], { limits: { maxStreamBufferBytes: 1_000 } });
    w.cluster.node(1).fault = ({ kind }) => (kind === "StreamAppend" ? "lost" : "none");
    const run = await w.runtime(1).startWorkflow(body, undefined);
    // One entry is under way with what was written in the first turn, and the buffer is full behind it.
    await expect.poll(() => written).toBeGreaterThan(9);
    // The writer runs in one turn as far as it gets.
    expect(written).toBeLessThan(40);
    w.cluster.node(1).fault = () => "none";
    await run.result();
    expect(await chunksOn(w, 1, run.id)).toHaveLength(40);
  });

  test("fails the run when the log refuses its chunks", async () => {
    const w = world([1]);
    const body = workflow("talk", { version: 1 }, async (ctx) => {
      await ctx.stream(tokens).write("one");
      await ctx.waitFor("never");
    });
    await w.startAll([body]);
    w.cluster.node(1).fault = ({ kind }) => (kind === "StreamAppend" ? "refused" : "none");
    const run = await w.runtime(1).startWorkflow(body, undefined);
    await expect(run.result()).rejects.toMatchObject({ failure: { code: "PAYLOAD_TOO_LARGE" } });
  });
});
