import { AsyncResource } from "node:async_hooks";
import { EventEmitter } from "node:events";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { type StreamWriter, stream } from "../../author/stream.ts";
import { decodeValue } from "../../author/values/json-value.ts";
import type { StandardSchemaV1 } from "../../author/values/schema.ts";
import { type WorkflowDefinition, workflow } from "../../author/workflow.ts";
import type { WorkflowContext } from "../../author/workflow-context.ts";
import { MAX_STREAMS_PER_RUN } from "../../model/stream.ts";
import { world } from "../../testing/workflow-world.ts";
import { MAX_BUFFERED_CHUNKS, MAX_WAITING_WRITES } from "./stream-writes.ts";

type Body = (ctx: WorkflowContext, out: StreamWriter<unknown>) => Promise<unknown>;

/** Runs a body with a stream `out`; gives its result and what the stream has then. */
async function ran(
  body: Body,
  limits = {},
): Promise<{ readonly result: unknown; readonly chunks: readonly unknown[] }> {
  const w = world([1]);
  const definition: WorkflowDefinition = workflow("talk", { version: 1 }, (ctx: WorkflowContext) =>
    body(ctx, ctx.stream<never>("out") as StreamWriter<unknown>),
  );
  await w.startAll([definition], { limits });
  const run = await w.runtime(1).startWorkflow(definition, undefined);
  const result = await run.result().catch((error: unknown) => error);
  const page = await w.cluster.node(1).engine.stream({ runId: run.id, stream: "out" });
  return { result, chunks: (page?.chunks ?? []).map(({ value }) => decodeValue(value, "a chunk")) };
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no error",
    (error: { readonly code?: unknown }) => error.code,
  );

describe("a stream that is misused", () => {
  test.each<[what: string, write: (out: StreamWriter<unknown>) => Promise<unknown>, code: string]>([
    ["a chunk that is too large", (out) => out.write("x".repeat(70_000)), "PAYLOAD_TOO_LARGE"],
    ["a chunk that is no JSON", (out) => out.write(1n), "VALUE_NOT_SERIALIZABLE"],
    ["a function", (out) => out.write({ deep: [() => 1] }), "VALUE_NOT_SERIALIZABLE"],
    ["a chunk after the end", (out) => out.end().then(() => out.write(1)), "STREAM_ENDED"],
  ])("refuses %s", async (_what, write, code) => {
    const { result, chunks } = await ran(async (_ctx, out) => {
      await out.write("before");
      return codeOf(write(out));
    });
    expect(result).toBe(code);
    expect(chunks).toEqual(["before"]);
  });

  test.each(["", "x".repeat(201), "a\ud800", 5 as never])("refuses the name %j", async (name) => {
    const { result } = await ran(async (ctx) => {
      ctx.stream(name);
    });
    expect(result).toMatchObject({ failure: { code: "NAME_INVALID" } });
    expect(() => stream(name)).toThrow(expect.objectContaining({ code: "NAME_INVALID" }));
  });

  test("takes undefined, null, false and an empty text as what they are", async () => {
    const { chunks } = await ran(async (_ctx, out) => {
      for (const value of [undefined, null, false, ""]) await out.write(value);
      await out.end();
      await out.end();
    });
    expect(chunks).toEqual([undefined, null, false, ""]);
  });

  test("is ended by the body alone, and made by it", async () => {
    const { result, chunks } = await ran(async (ctx, out) => {
      const codes = await ctx.step("s", async () => {
        await out.write(1);
        return [await codeOf(out.end()), await codeOf((async () => ctx.stream("other"))())] as string[];
      });
      await out.write(2);
      return codes;
    });
    expect(result).toEqual(["CONTEXT_IN_STEP", "CONTEXT_IN_STEP"]);
    expect(chunks).toEqual([1, 2]);
  });

  test("takes nothing from the body of another run", async () => {
    const w = world([1]);
    let stolen: StreamWriter<number> | undefined;
    const owner = workflow("owner", { version: 1 }, async (ctx) => {
      stolen = ctx.stream<number>("out");
      await ctx.waitFor("go");
    });
    const thief = workflow("thief", { version: 1 }, async () =>
      String(await codeOf((stolen as StreamWriter<number>).write(1))),
    );
    await w.startAll([owner, thief]);
    const run = await w.runtime(1).startWorkflow(owner, undefined);
    await expect.poll(() => stolen).toBeDefined();
    expect(await (await w.runtime(1).startWorkflow(thief, undefined)).result()).toBe("CONTEXT_FOREIGN");
    await run.signal("go");
    await run.result();
    expect(await w.cluster.node(1).engine.stream({ runId: run.id, stream: "out" })).toMatchObject({ nextOffset: 0 });
  });

  test("refuses a writer whose async context is lost, and takes one that is bound", async () => {
    const { result, chunks } = await ran(async (ctx, out) => {
      return await ctx.step("s", async () => {
        const outside = new AsyncResource("outside");
        const lost = codeOf(outsideOfAll(() => out.write("lost")));
        const emitter = new EventEmitter();
        const bound = Promise.withResolvers<void>();
        emitter.on(
          "token",
          AsyncResource.bind((token: string) => void out.write(token).then(bound.resolve)),
        );
        outsideOfAll(() => emitter.emit("token", "bound"));
        await bound.promise;
        outside.emitDestroy();
        return String(await lost);
      });
    });
    expect(result).toBe("STREAM_CALLER_UNKNOWN");
    expect(chunks).toEqual(["bound"]);
  });

  test("is one of a bounded number", async () => {
    const { result } = await ran(async (ctx) => {
      for (let n = 0; n < MAX_STREAMS_PER_RUN; n++) await ctx.stream<number>(`s${n}`).write(n);
      return codeOf(ctx.stream<number>("one more").write(1));
    });
    expect(result).toBe("STREAM_LIMIT_REACHED");
  });

  test("refuses writes that are not awaited beyond a number, and the run says so", async () => {
    const { result } = await ran(async (ctx, out) => {
      for (let n = 0; n <= MAX_BUFFERED_CHUNKS + MAX_WAITING_WRITES; n++) void out.write(n);
      await ctx.sleep("1m");
    });
    expect(result).toMatchObject({
      failure: { code: "REJECTION_UNHANDLED", message: expect.stringMatching(/Await every write/) },
    });
  });

  test("takes nothing once the body has returned", async () => {
    const late = Promise.withResolvers<unknown>();
    const { chunks } = await ran(async (ctx, out) => {
      void ctx.step("left behind", async () => {
        await out.write("in time");
        await new Promise((resolve) => setImmediate(resolve));
        for (;;) {
          const code = await codeOf(out.write("late"));
          if (code !== "no error") return late.resolve(code);
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      await ctx.step("other", () => 1);
    });
    expect(["STREAM_ENDED", "STALE_OWNER"]).toContain(await late.promise);
    expect(chunks[0]).toBe("in time");
  });

  test("checks chunks with the schema of its definition", async () => {
    const progress = stream("out", z.object({ done: z.number() }));
    const lazy: StandardSchemaV1<number, number> = {
      "~standard": { version: 1, vendor: "test", validate: async (value) => ({ value: value as number }) },
    };
    const { result, chunks } = await ran(async (ctx) => {
      const out = ctx.stream(progress);
      await out.write({ done: 1 });
      const slow = ctx.stream(stream("slow", lazy));
      return [await codeOf(out.write({ done: "2" } as never)), await codeOf(slow.write(1))];
    });
    expect(result).toEqual(["STREAM_CHUNK_INVALID", "STREAM_CHUNK_INVALID"]);
    expect(chunks).toEqual([{ done: 1 }]);
  });
});

const outsideOfAll = AsyncResource.bind(<T>(fn: () => T): T => fn());
