import { describe, expect, test } from "vitest";
import { WorkflowRegistry, workflow } from "./workflow.ts";

const body = async (): Promise<void> => {};

describe("the registry", () => {
  test("finds workflows by type and version, and the newest of a type", () => {
    const [v1, v2] = [workflow("a", { version: 1 }, body), workflow("a", { version: 2 }, body)];
    const registry = new WorkflowRegistry([v2, v1]);
    expect(registry.get("a", 1)).toBe(v1);
    expect(registry.get("a", 3)).toBeUndefined();
    expect(registry.newest("a")).toBe(v2);
    expect(registry.newest("b")).toBeUndefined();
    expect(registry.types()).toHaveLength(2);
  });

  test("refuses a type and version twice", () => {
    const twice = [workflow("a", { version: 1 }, body), workflow("a", { version: 1 }, body)];
    expect(() => new WorkflowRegistry(twice)).toThrow(expect.objectContaining({ code: "WORKFLOW_TYPE_DUPLICATE" }));
  });

  test.each([
    ["", 1],
    ["a", 0],
    ["a", 1.5],
    ["a", 2 ** 32],
  ])("takes no workflow %j of version %d", (type, version) => {
    expect(() => workflow(type, { version }, body)).toThrow(expect.objectContaining({ code: "NAME_INVALID" }));
  });
});
