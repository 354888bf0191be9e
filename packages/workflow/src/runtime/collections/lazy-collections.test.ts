import { describe, expect, test } from "vitest";
import { LazyMap } from "./lazy-map.ts";
import { LazySet } from "./lazy-set.ts";

describe("a lazy collection", () => {
  test("is empty until something is put into it, and again when all is gone", () => {
    const [map, set] = [new LazyMap<string, number>(), new LazySet<string>()];
    expect([
      map.size,
      map.has("a"),
      map.get("a"),
      map.delete("a"),
      [...map],
      [...map.keys()],
      [...map.values()],
    ]).toEqual([0, false, undefined, false, [], [], []]);
    expect([set.size, set.has("a"), set.delete("a"), [...set]]).toEqual([0, false, false, []]);
    map.set("a", 1);
    map.set("b", 2);
    set.add("a");
    set.add("b");
    expect([[...map], [...map.keys()], [...map.values()], map.get("b"), map.size]).toEqual([
      [
        ["a", 1],
        ["b", 2],
      ],
      ["a", "b"],
      [1, 2],
      2,
      2,
    ]);
    expect([[...set], set.size, set.has("b")]).toEqual([["a", "b"], 2, true]);
    expect([map.delete("a"), set.delete("a"), map.has("a"), set.has("a")]).toEqual([true, true, false, false]);
    map.clear();
    expect([map.size, [...map]]).toEqual([0, []]);
  });
});
