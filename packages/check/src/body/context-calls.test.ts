import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "@babel/parser";
import type { TSInterfaceDeclaration } from "@babel/types";
import { expect, test } from "vitest";
import { CONTEXT_CALLS, CONTEXT_PROPERTIES, isRaftoral, VARIABLE_CHANGES, VARIABLE_READS } from "./context-calls.ts";

const source = readFileSync(join(import.meta.dirname, "../../../workflow/src/author/workflow-context.ts"), "utf8");
const { program } = parse(source, { sourceType: "module", plugins: ["typescript"] });

/** Members of an interface of the authoring API; `isPromise` is undefined for properties. */
function membersOf(name: string): ReadonlyMap<string, boolean | undefined> {
  const declared = program.body.find(
    (statement): statement is typeof statement & { declaration: TSInterfaceDeclaration } =>
      statement.type === "ExportNamedDeclaration" &&
      statement.declaration?.type === "TSInterfaceDeclaration" &&
      statement.declaration.id.name === name,
  );
  const members = new Map<string, boolean | undefined>();
  for (const member of declared?.declaration.body.body ?? []) {
    if (!("key" in member) || member.key.type !== "Identifier") throw new Error(`${name} has a ${member.type}`);
    const text = source.slice(member.start ?? 0, member.end ?? 0);
    members.set(member.key.name, member.type === "TSMethodSignature" ? /\): Promise</.test(text) : undefined);
  }
  return members;
}

// A member that fails here is new: it needs a line in context-calls.ts, and cases in src/corpus.
test("every member of a WorkflowContext is known, and whether it gives a promise", () => {
  const members = membersOf("WorkflowContext");
  const methods = [...members].filter(([, isPromise]) => isPromise !== undefined);
  const properties = [...members].filter(([, isPromise]) => isPromise === undefined).map(([name]) => name);
  const known = [...CONTEXT_CALLS].map(([name, { isPromise }]) => [name, isPromise]);
  expect(new Map(methods)).toEqual(new Map(known as [string, boolean][]));
  expect(properties.toSorted()).toEqual([...CONTEXT_PROPERTIES].toSorted());
});

test("every member of a Variable is known", () => {
  const known = [...VARIABLE_CHANGES.keys(), ...VARIABLE_READS];
  expect([...membersOf("Variable").keys()].toSorted()).toEqual(known.toSorted());
});

test.each([
  ["raftoral", true],
  ["raftoral/testing", true],
  ["@raftoral/workflow", true],
  ["@raftoral/workflow/author", true],
  ["raftorals", false],
  ["@raftoral", false],
  ["./raftoral", false],
])("%s is Raftoral: %s", (specifier, expected) => expect(isRaftoral(specifier)).toBe(expected));
