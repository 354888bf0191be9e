/** A workflow whose input and signal have schemas, of kinds that would give another value at each execution of the body, if they were asked. */
import { randomUUID } from "node:crypto";
import { type StandardSchemaV1, signal, type WorkflowDefinition, workflow } from "raftoral";

/** A schema without a library. */
function schema<Given, Value>(
  validate: (value: unknown) => StandardSchemaV1.Result<Value> | Promise<StandardSchemaV1.Result<Value>>,
): StandardSchemaV1<Given, Value> {
  return { "~standard": { version: 1, vendor: "e2e", validate } };
}

/** Asynchronous, and gives each holder a number of its own. */
const holder = schema<{ readonly name: string }, { readonly name: string; readonly number: string }>(async (value) => {
  const { name } = value as { readonly name?: unknown };
  return typeof name === "string"
    ? { value: { name, number: randomUUID() } }
    : { issues: [{ message: "has no name" }] };
});

/** Gives what JSON does not carry. */
export const seal = signal(
  "seal",
  schema<string, Date>((value) => {
    const at = new Date(String(value));
    return Number.isNaN(at.getTime()) ? { issues: [{ message: "is no date" }] } : { value: at };
  }),
);

/** Two steps with the holder's number, before and after the seal; the result has the number of each. */
export const ticket = workflow("ticket", { version: 1, input: holder }, async (ctx, { name, number }) => {
  const printed = await ctx.step("print", () => number);
  const at = await ctx.waitFor(seal);
  const sealed = await ctx.step("seal", () => number);
  return { name, printed, sealed, number, year: at.getUTCFullYear() };
}) satisfies WorkflowDefinition;
