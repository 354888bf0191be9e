import { describe, expect, test } from "vitest";
import { z } from "zod";
import { type SignalDefinition, signal } from "../../author/signal.ts";
import type { StandardSchemaV1 } from "../../author/values/schema.ts";
import { type WorkflowDefinition, workflow } from "../../author/workflow.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import { type World, world } from "../../testing/workflow-world.ts";

/** A schema that counts how often it is asked, and that a test changes as a deployment would. */
class Deployed<Given, Value> implements StandardSchemaV1<Given, Value> {
  asked = 0;
  #schema: StandardSchemaV1<Given, Value>;

  constructor(schema: StandardSchemaV1<Given, Value>) {
    this.#schema = schema;
  }

  deploy(schema: StandardSchemaV1<Given, Value>): void {
    this.#schema = schema;
  }

  get "~standard"(): StandardSchemaV1.Props<Given, Value> {
    const { validate, ...rest } = this.#schema["~standard"];
    return {
      ...rest,
      validate: (value) => {
        this.asked += 1;
        return validate(value);
      },
    };
  }
}

/** Runs a body on node 2 until it waits for `end`, lets `between` happen, and then on node 1 to its end. */
async function takenOver(
  w: World,
  definition: WorkflowDefinition,
  input: unknown,
  between: () => void,
): Promise<unknown> {
  await w.startAll([definition]);
  const waiting = w.next("record-committed", (event) => event.path === "waits#0");
  const run = await w.runtime(2).startWorkflow(definition, input, { id: "run" });
  await waiting;
  between();
  w.kill(2);
  w.cluster.reportLost(2);
  await w.runtime(1).signal(run.id, "end");
  return w.runtime(1).result(run.id);
}

async function waits<T>(ctx: WorkflowContext, value: T): Promise<T> {
  await ctx.step("waits", () => 1);
  await ctx.waitFor("end");
  return value;
}

async function pathsOf(w: World): Promise<readonly string[] | undefined> {
  return (await w.runtime(1).getRun("run"))?.history.map(([path]) => path);
}

/** A body with this input schema, which tells what it was given. */
const told = (input: StandardSchemaV1, inputs: unknown[]): WorkflowDefinition =>
  workflow("told", { version: 1, input }, async (ctx, given: unknown) => {
    inputs.push(given);
    await waits(ctx, undefined);
  });

describe("an input with a schema", () => {
  test("that gives it as it is costs no record, and is not asked again", async () => {
    const schema = new Deployed(z.object({ total: z.number() }));
    const inputs: unknown[] = [];
    const w = world();
    const stricter = z.object({ total: z.number().max(1) });
    await takenOver(w, told(schema, inputs), { total: 5 }, () => schema.deploy(stricter));
    expect([inputs, schema.asked]).toEqual([[{ total: 5 }, { total: 5 }], 1]);
    expect(await pathsOf(w)).toEqual(["waits#0", "end#0"]);
  });

  test("that completes it is asked once: every body gets the same (PV1)", async () => {
    const number = z.number().default(() => Math.random());
    const schema = new Deployed(z.object({ id: z.string(), draw: number }));
    const inputs: unknown[] = [];
    const w = world();
    await takenOver(w, told(schema, inputs), { id: "a" }, () =>
      schema.deploy(z.object({ id: z.string(), draw: number })),
    );
    expect(inputs[0]).toEqual({ id: "a", draw: expect.any(Number) });
    expect([inputs[1], schema.asked]).toEqual([inputs[0], 1]);
    expect(await pathsOf(w)).toEqual(["input/parsed", "waits#0", "end#0"]);
  });

  test("that asks the outside is asked once, whatever the outside says later", async () => {
    let isKnown = true;
    const schema = new Deployed(z.object({ id: z.string().refine(async () => isKnown), n: z.number().default(1) }));
    const inputs: unknown[] = [];
    await takenOver(world(), told(schema, inputs), { id: "a" }, () => {
      isKnown = false;
    });
    expect([inputs, schema.asked]).toEqual([
      [
        { id: "a", n: 1 },
        { id: "a", n: 1 },
      ],
      1,
    ]);
  });

  const date = z.object({ at: z.iso.datetime().transform((text) => new Date(text)) });
  const AT = "2026-03-01T00:00:00.000Z";

  test("that gives what JSON does not carry makes it again (PV2)", async () => {
    const schema = new Deployed(date);
    const inputs: unknown[] = [];
    const w = world();
    await takenOver(w, told(schema, inputs), { at: AT }, () => {});
    expect([inputs, schema.asked]).toEqual([[{ at: new Date(AT) }, { at: new Date(AT) }], 2]);
    expect(await pathsOf(w)).toEqual(["input/parsed", "waits#0", "end#0"]);
  });

  test.each<[string, typeof date]>([
    ["makes another value", z.object({ at: z.iso.datetime().transform((text) => new Date(Date.parse(text) + 1)) })],
    ["refuses the value", date.refine(() => false)],
    ["has become asynchronous", date.refine(async () => true)],
  ])("and since a deployment %s, holds the run and calls no body", async (_, deployed) => {
    const schema = new Deployed(date);
    const inputs: unknown[] = [];
    const w = world();
    const stuck = w.next("run-stuck");
    takenOver(w, told(schema, inputs), { at: AT }, () => schema.deploy(deployed)).catch(() => {});
    expect(await stuck).toMatchObject({ reason: "code-mismatch", mismatch: { path: "input/parsed" } });
    expect(inputs).toHaveLength(1);
  });

  test("that is gone since a deployment holds the run and calls no body", async () => {
    const inputs: unknown[] = [];
    const w = world();
    const without = workflow("told", { version: 1 }, async (_ctx, given: unknown) => void inputs.push(given));
    const withOne = told(z.object({ n: z.number().default(1) }), inputs);
    await Promise.all([1, 2, 3].map((id) => w.start(id, id === 3 ? [] : [id === 1 ? without : withOne]).registered));
    w.cluster.lead(1);
    const waiting = w.next("record-committed", (event) => event.path === "waits#0");
    const run = await w.runtime(2).startWorkflow(withOne, {});
    await waiting;
    const stuck = w.next("run-stuck");
    w.kill(2);
    w.cluster.reportLost(2);
    expect(await stuck).toMatchObject({ runId: run.id, mismatch: { path: "input/parsed" } });
    expect(inputs).toHaveLength(1);
  });

  test.each<[string, StandardSchemaV1, string]>([
    ["is asynchronous and gives what JSON does not carry", date.refine(async () => true), "is asynchronous and gives"],
    ["refuses it", z.object({ at: z.literal("never") }), "at: "],
  ])("that %s fails the run", async (_, schema, message) => {
    const w = world([1]);
    const definition = told(schema, []);
    await w.startAll([definition]);
    const run = await w.runtime(1).startWorkflow(definition, { at: AT });
    await expect(run.result()).rejects.toMatchObject({
      failure: { code: "INPUT_INVALID", message: expect.stringContaining(message) },
    });
  });
});

describe("a signal with a schema", () => {
  /** A body that waits for this signal, and tells what the wait gave. */
  const hearing = (definition: SignalDefinition, heard: unknown[]): WorkflowDefinition =>
    workflow("hearing", { version: 1 }, async (ctx) => {
      heard.push(await ctx.waitFor(definition).catch((error: { code: unknown }) => error.code));
      await waits(ctx, undefined);
    });

  test.each<[string, StandardSchemaV1, unknown, unknown, number]>([
    ["as it is", z.number(), 1, 1, 1],
    ["another value", z.string().transform(Number), "5", 5, 1],
    ["what JSON does not carry", z.string().transform((text) => new Set(text)), "ab", new Set(["a", "b"]), 2],
    ["nothing", z.number(), "x", "SIGNAL_INVALID", 1],
  ])("that gives %s gives the same to the next owner", async (_, made, payload, value, asked) => {
    const schema = new Deployed(made);
    const heard: unknown[] = [];
    const w = world();
    const definition = hearing(signal("word", schema), heard);
    await w.startAll([definition]);
    const waiting = w.next("record-committed", (event) => event.path === "waits#0");
    const run = await w.runtime(2).startWorkflow(definition, undefined, { id: "run" });
    await run.signal("word", payload);
    await waiting;
    if (asked === 1) schema.deploy(z.literal("something else"));
    w.kill(2);
    w.cluster.reportLost(2);
    await w.runtime(1).signal(run.id, "end");
    await w.runtime(1).result(run.id);
    expect([heard, schema.asked]).toEqual([[value, value], asked]);
    expect(await pathsOf(w)).toEqual(["word#0", "word#0/parsed", "waits#0", "end#0"]);
  });

  test("is not asked when no signal came in time", async () => {
    const w = world([1]);
    const schema = new Deployed(z.number());
    const number = signal("number", schema);
    const patient = workflow("patient", { version: 1 }, (ctx) => ctx.waitFor(number, { timeout: 1 }));
    await w.startAll([patient]);
    expect(await (await w.runtime(1).startWorkflow(patient, undefined)).result()).toEqual({ timedOut: true });
    expect(schema.asked).toBe(0);
  });
});

describe("an output schema", () => {
  test("makes the result, or fails the run", async () => {
    const w = world([1]);
    const output = z.map(z.string(), z.number()).transform((map) => Object.fromEntries(map));
    const summed = workflow("summed", { version: 1, output }, async (ctx) => {
      const count = await ctx.step("count", () => 1);
      return new Map([["a", count]]);
    });
    const wrong = workflow("wrong", { version: 1, output: z.number().max(1) }, () => 2);
    await w.startAll([summed, wrong]);
    expect(await (await w.runtime(1).startWorkflow(summed, undefined)).result()).toEqual({ a: 1 });
    await expect((await w.runtime(1).startWorkflow(wrong, undefined)).result()).rejects.toMatchObject({
      failure: { code: "OUTPUT_INVALID", message: expect.stringContaining("What workflow wrong returned") },
    });
  });
});
