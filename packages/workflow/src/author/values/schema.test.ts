import type { StandardSchemaV1 as Spec } from "@standard-schema/spec";
import { type } from "arktype";
import * as v from "valibot";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { type SignalDefinition, type SignalPayload, signal } from "../signal.ts";
import { type WorkflowDefinition, workflow } from "../workflow.ts";
import type { WorkflowInput, WorkflowResult } from "../workflow-types.ts";
import type { Unchanged } from "./recorded.ts";
import { inputOf, type StandardSchemaV1, validated } from "./schema.ts";

const ORDER = { id: "A17", at: "2026-03-01T00:00:00.000Z" };

const zodOrder = z.object({ id: z.string(), at: z.iso.datetime().transform((text) => new Date(text)) });
const valibotOrder = v.object({
  id: v.string(),
  at: v.pipe(
    v.string(),
    v.isoTimestamp(),
    v.transform((text) => new Date(text)),
  ),
});
const arktypeOrder = type({ id: "string", at: "string.date.iso.parse" });

interface ParsedOrder {
  id: string;
  at: Date;
}

/** The same schema of three libraries. */
const libraries: readonly (readonly [name: string, schema: StandardSchemaV1<typeof ORDER, ParsedOrder>])[] = [
  ["zod", zodOrder],
  ["valibot", valibotOrder],
  ["arktype", arktypeOrder],
];

describe("a schema of", () => {
  test.each(libraries)("%s gives what it makes of a value, or names what is wrong", async (_, schema) => {
    expect(await validated(schema, ORDER, inputOf("order"))).toEqual({ id: "A17", at: new Date(ORDER.at) });
    const unfit = validated(schema, { id: 5, at: ORDER.at }, inputOf("order"));
    await expect(unfit).rejects.toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringMatching(/^The input is not what workflow order takes: id: .*\. Correct the input\.$/),
    });
  });
});

describe("the failure of a schema", () => {
  const made = (validate: (value: unknown) => Spec.Result<unknown> | Promise<Spec.Result<unknown>>): Spec => ({
    "~standard": { version: 1, vendor: "test", validate },
  });

  test("is bounded, however many issues it has and however long they are", async () => {
    const issues = Array.from({ length: 10_000 }, () => ({ message: "x".repeat(10_000) }));
    const failure = await validated(
      made(() => ({ issues })),
      1,
      inputOf("order"),
    ).catch((error: unknown) => error);
    expect(String(failure)).toMatch(/and 9980 more issues\. Correct the input\.$/);
    expect(String(failure).length).toBeLessThan(8 * 1024);
  });

  test("is one of the value's when the schema's own code throws", async () => {
    const cause = new Error("no connection");
    const thrown = validated(
      made(() => Promise.reject(cause)),
      1,
      inputOf("order"),
    );
    await expect(thrown).rejects.toMatchObject({
      code: "INPUT_INVALID",
      message: expect.stringContaining("its schema failed: no connection"),
      cause,
    });
  });
});

/** What a definition says of itself. */
type Types<Workflow> = readonly [WorkflowInput<Workflow>, WorkflowResult<Workflow>];

describe("the types of a workflow", () => {
  test("without a schema are those of the body, as the record keeps them", () => {
    const dated = workflow("dated", { version: 1 }, async (_ctx, input: { readonly id: string }) => ({
      id: input.id,
      at: new Date(),
    }));
    expectTypeOf<Types<typeof dated>>().toEqualTypeOf<readonly [{ readonly id: string }, { id: string; at: string }]>();
    const daily = workflow("daily", { version: 1 }, async (ctx) => {
      await ctx.now();
    });
    expectTypeOf<WorkflowInput<typeof daily>>().toEqualTypeOf<undefined>();
    expectTypeOf<WorkflowResult<typeof daily>>().toEqualTypeOf<void>();
    const perhaps = workflow("perhaps", { version: 1 }, (_ctx, input?: number) => input ?? null);
    expectTypeOf<Types<typeof perhaps>>().toEqualTypeOf<readonly [number | undefined, number | null]>();
    const anything = workflow("anything", { version: 1 }, (_ctx, input: unknown) => input);
    expectTypeOf<Types<typeof anything>>().toEqualTypeOf<readonly [unknown, unknown]>();
  });

  test("with schemas are what each takes and gives", () => {
    const run = workflow("order", { version: 1, input: zodOrder }, async (_ctx, order) => {
      expectTypeOf(order).toEqualTypeOf<ParsedOrder>();
      return order;
    });
    expectTypeOf<Types<typeof run>>().toEqualTypeOf<readonly [typeof ORDER, { id: string; at: string }]>();
    const defaults = z.object({ count: z.number().default(3), tags: z.array(z.string()).optional() });
    const counted = workflow("counted", { version: 1, input: defaults }, (_ctx, { count }) => count);
    expectTypeOf<Types<typeof counted>>().toEqualTypeOf<
      readonly [{ count?: number | undefined; tags?: string[] | undefined }, number]
    >();
    const sums = z.map(z.string(), z.number()).transform((map) => Object.fromEntries(map));
    const summed = workflow("summed", { version: 1, output: sums }, () => new Map([["a", 1]]));
    expectTypeOf<WorkflowResult<typeof summed>>().toEqualTypeOf<{ [key: string]: number }>();
    const both = workflow("both", { version: 1, input: arktypeOrder, output: v.date() }, (_ctx, { at }) => at);
    expectTypeOf<Types<typeof both>>().toEqualTypeOf<readonly [{ id: string; at: string }, string]>();
  });

  test("do not depend on what is expected where they are defined", () => {
    const satisfying = workflow("a", { version: 1, input: zodOrder }, () => new Date()) satisfies WorkflowDefinition;
    expectTypeOf<Types<typeof satisfying>>().toEqualTypeOf<readonly [typeof ORDER, string]>();
    const idle = workflow("idle", { version: 1 }, async () => {}) satisfies WorkflowDefinition;
    expectTypeOf<WorkflowInput<typeof idle>>().toEqualTypeOf<undefined>();
    const typed: WorkflowDefinition<number, string> = workflow("b", { version: 1 }, (_ctx, input: number) =>
      String(input),
    );
    // @ts-expect-error A Date arrives as text.
    const dated: WorkflowDefinition<Date> = workflow("c", { version: 1 }, (_ctx, input: Date) => input.getTime());
    expect([typed.type, dated.type]).toEqual(["b", "c"]);
  });

  test("fit into one list, and into functions of workflows", () => {
    const list: readonly WorkflowDefinition[] = [
      workflow("a", { version: 1, input: zodOrder }, () => 1),
      workflow("b", { version: 1 }, (_ctx, input: number) => input),
      workflow("c", { version: 1 }, async () => {}),
    ];
    const made = <T extends Unchanged<T>>(name: string) =>
      workflow(name, { version: 1 }, (_ctx, input: T) => [input].length);
    const counting = made<{ readonly id: string }>("e");
    expectTypeOf<Types<typeof counting>>().toEqualTypeOf<readonly [{ readonly id: string }, number]>();
    const resultOf = <Input, Result>(_: WorkflowDefinition<Input, Result>, result: Result): Result => result;
    expectTypeOf(
      resultOf(
        workflow("d", { version: 1 }, () => new Date()),
        "x",
      ),
    ).toEqualTypeOf<string>();
    expect(list).toHaveLength(3);
  });

  test("refuse what arrives as something else, and what cannot be recorded", () => {
    // @ts-expect-error A Date arrives as text.
    workflow("a", { version: 1 }, async (_ctx, input: { readonly at: Date }) => input.at.getTime());
    // @ts-expect-error The schema would get the text of the Date.
    workflow("a", { version: 1, input: z.object({ at: z.date() }) }, async () => {});
    // @ts-expect-error The body and the schema do not agree.
    workflow("a", { version: 1, input: zodOrder }, async (_ctx, input: { readonly id: number }) => input.id);
    // @ts-expect-error A Map cannot be recorded.
    workflow("a", { version: 1 }, async () => new Map([["a", 1]]));
    // @ts-expect-error What the schema gives cannot be recorded.
    workflow("a", { version: 1, output: z.bigint() }, async () => 1n);
    // @ts-expect-error The schema takes something else.
    workflow("a", { version: 1, output: z.object({ id: z.string() }) }, async () => ({ id: 1 }));
    // @ts-expect-error The input has no type.
    workflow("a", { version: 1 }, async (_ctx, input) => input.id);
  });
});

describe("the types of a signal", () => {
  test("are those of its payload, or those of its schema", () => {
    const [go, approval] = [signal("go"), signal<{ readonly by: string }>("approval")];
    expectTypeOf(go).toEqualTypeOf<SignalDefinition<undefined, undefined>>();
    expectTypeOf(approval).toEqualTypeOf<SignalDefinition<{ readonly by: string }, { readonly by: string }>>();
    expectTypeOf(signal("order", valibotOrder)).toEqualTypeOf<SignalDefinition<typeof ORDER, ParsedOrder>>();
    expectTypeOf<SignalPayload<typeof approval>>().toEqualTypeOf<{ readonly by: string }>();
    expectTypeOf<SignalPayload<string>>().toBeUnknown();
    // @ts-expect-error A Date arrives as text.
    signal<{ readonly at: Date }>("a");
    // @ts-expect-error The schema would get the text of the Date.
    signal("a", z.date());
    expect(() => signal("")).toThrow(expect.objectContaining({ code: "NAME_INVALID" }));
  });
});
