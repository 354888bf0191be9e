import { beforeAll, describe, expect, test } from "vitest";
import { compiled } from "./compile.ts";

// What a user reads when a type is refused. Each program has one mistake; the first line of the compiler says what is wrong and what to do.

interface Case {
  readonly program: string;
  /** Parts of the first line, in order. */
  readonly says: readonly string[];
  /** Most lines of the message. */
  readonly lines: number;
}

const IMPORTS = `import { z } from "zod";
import { signal, type Workflows, workflow } from "raftoral";
interface Order { readonly item: string; readonly total: number }
declare const workflows: Workflows;
export const order = workflow("order", { version: 1 }, async (_ctx, input: Order) => input.item);
`;
const inBody = (code: string): string =>
  `${IMPORTS}export const under = workflow("under", { version: 1 }, async (ctx) => { ${code} });`;

const cases: Readonly<Record<string, Case>> = {
  "a step that gives a Map": {
    program: inBody(`await ctx.step("a", () => new Map([["a", 1]]));`),
    says: [
      "Type 'Map<string, number>' is not assignable",
      `NotRecordable<"A Map cannot be recorded. Give Object.fromEntries(map) or [...map].">`,
    ],
    lines: 2,
  },
  "a step that gives a Response": {
    program: inBody(`await ctx.step("a", () => fetch("http://x"));`),
    says: [
      "Type 'Promise<Response>' is not assignable",
      `NotRecordable<"A Response cannot be recorded. Give await response.json(), or what is needed of it.">`,
    ],
    lines: 3,
  },
  "a step with a bigint deep inside": {
    program: inBody(`await ctx.step("a", () => ({ rows: [{ id: 1n }] }));`),
    says: [`Type 'bigint' is not assignable to type 'NotRecordable<"A bigint cannot be recorded. Give String(n).">'`],
    lines: 1,
  },
  "a step that gives an instance with methods": {
    program: inBody(`class Money { cents = 1; add() { return this; } } await ctx.step("a", () => new Money());`),
    says: ["Type 'Money'", `add: NotRecordable<"A function or method cannot be recorded. Give plain data.">`],
    lines: 4,
  },
  "a Date that is used after its step": {
    program: inBody(`const { at } = await ctx.step("a", () => ({ at: new Date() })); at.getTime();`),
    says: ["Property 'getTime' does not exist on type 'string'"],
    lines: 1,
  },
  "a body that expects a Date": {
    program: `${IMPORTS}workflow("a", { version: 1 }, async (_ctx, input: { at: Date }) => input.at.getTime());`,
    says: [
      `at: NotRecordable<"A Date arrives as text, and what has a toJSON as what that gives. Declare that, or parse`,
    ],
    lines: 5,
  },
  "a schema that would get the text of a Date": {
    program: `${IMPORTS}workflow("a", { version: 1, input: z.object({ at: z.date() }) }, async () => {});`,
    says: ["Type 'ZodObject<{ at: ZodDate; }", `at: NotRecordable<"A Date arrives as text`],
    lines: 7,
  },
  "a start without an input": {
    program: `${IMPORTS}await workflows.start(order);`,
    says: ["Expected 2-3 arguments, but got 1."],
    lines: 1,
  },
  "a start with another input": {
    program: `${IMPORTS}await workflows.start(order, { item: "tea", total: "1" });`,
    says: ["Type 'string' is not assignable to type 'number'."],
    lines: 1,
  },
  "a start of another type": {
    program: `${IMPORTS}await workflows.start<typeof order>("orders", { item: "tea", total: 1 });`,
    says: [
      `Argument of type '"orders"' is not assignable to parameter of type '"order" | WorkflowDefinition<Order, string,`,
    ],
    lines: 1,
  },
  "a signal with another payload": {
    program: `${IMPORTS}await workflows.run("a").signal(signal<{ by: string }>("b"), { by: 1 });`,
    says: ["Type 'number' is not assignable to type 'string'."],
    lines: 1,
  },
  "a payload that is used without a look at the timeout": {
    program: inBody(`(await ctx.waitFor(signal<Order>("b"), { timeout: "1d" })).payload.item;`),
    says: ["Object is possibly 'undefined'."],
    lines: 1,
  },
  "a wait that is told its type": {
    program: inBody(`await ctx.waitFor<boolean>("b");`),
    says: ["Type 'boolean' does not satisfy the constraint 'string | SignalDefinition<unknown, unknown>'."],
    lines: 1,
  },
};

describe("the compiler says", () => {
  let said: Readonly<Record<string, string>>;
  beforeAll(async () => {
    const programs = Object.entries(cases).map(([name, { program }]) => [name, program] as const);
    said = await compiled({
      ...Object.fromEntries(programs),
      right: `${IMPORTS}await workflows.start(order, { item: "tea", total: 1 });`,
    });
  }, 120_000);

  test("nothing of what is right", () => expect(said.right).toBe(""));

  test.each(Object.entries(cases))("of %s what is wrong and what to do", (name, { says, lines }) => {
    const [first = "", ...rest] = (said[name] ?? "").split("\n");
    let at = 0;
    for (const part of says) {
      const found = first.indexOf(part, at);
      expect(found, `${part}\nin\n${said[name]}`).not.toBe(-1);
      at = found + part.length;
    }
    expect(rest.length + 1, said[name]).toBeLessThanOrEqual(lines);
  });
});
