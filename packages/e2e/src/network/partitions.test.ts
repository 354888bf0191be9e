// @module-tag slow

import { expect, test } from "vitest";
import { bridge, oneWay, type Pair, pairsOf, ring, split } from "./partitions.ts";

const FIVE = [1, 2, 3, 4, 5];

/** Whom a node hears and is heard by, itself included. */
function sees(nodeIds: readonly number[], cut: readonly Pair[], nodeId: number): readonly number[] {
  const isCut = (from: number, to: number) => cut.some(([a, b]) => a === from && b === to);
  return nodeIds.filter((other) => other === nodeId || !(isCut(nodeId, other) || isCut(other, nodeId)));
}

test("a split leaves each side to itself", () => {
  const cut = split(FIVE, [2, 5]);
  expect(FIVE.map((nodeId) => sees(FIVE, cut, nodeId))).toEqual([
    [1, 3, 4],
    [2, 5],
    [1, 3, 4],
    [1, 3, 4],
    [2, 5],
  ]);
});

test("one way is cut, the other is open", () => {
  expect(oneWay([1], [1, 2])).toEqual([[1, 2]]);
});

test("on a bridge the one in the middle sees both sides, and they not each other", () => {
  const cut = bridge(FIVE, 3);
  expect(FIVE.map((nodeId) => sees(FIVE, cut, nodeId))).toEqual([[1, 2, 3], [1, 2, 3], FIVE, [3, 4, 5], [3, 4, 5]]);
});

test.each([5, 7])("in a ring of %i each sees a majority, and no two the same", (count) => {
  const nodeIds = Array.from({ length: count }, (_, i) => i + 1);
  const views = nodeIds.map((nodeId) => sees(nodeIds, ring(nodeIds), nodeId));
  for (const view of views) {
    expect(view.length).toBeGreaterThan(count / 2);
    expect(view.length).toBeLessThan(count);
  }
  expect(new Set(views.map(String)).size).toBe(count);
});

test("every ordered pair is there once", () => {
  expect(pairsOf([1, 2, 3])).toEqual([
    [1, 2],
    [1, 3],
    [2, 1],
    [2, 3],
    [3, 1],
    [3, 2],
  ]);
});
