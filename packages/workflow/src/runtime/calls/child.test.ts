import { expect, test } from "vitest";
import { childId } from "./child.ts";

test("a child's id says its parent and the place of the call, and the generation from the second on", () => {
  expect(childId({ runId: "order-17", generation: 1 }, "map/0/ship#0")).toBe("order-17/map/0/ship#0");
  expect(childId({ runId: "order-17", generation: 3 }, "ship#0")).toBe("order-17/ship#0~3");
});

test("a child's id has 512 characters at most, and is another one for another place", () => {
  const parent = { runId: "p".repeat(512), generation: 1 };
  const ids = ["ship#0", "ship#1"].map((path) => childId(parent, path));
  expect(new Set(ids).size).toBe(2);
  for (const id of ids) expect(id).toHaveLength(512);
  expect(childId({ runId: `${"p".repeat(478)}\u{1F375}`, generation: 1 }, "a".repeat(40)).isWellFormed()).toBe(true);
});
