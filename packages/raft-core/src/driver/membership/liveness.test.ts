import { expect, test } from "vitest";
import { Liveness } from "./liveness.ts";

function ticks(liveness: Liveness, count: number): void {
  for (let i = 0; i < count; i++) liveness.tick();
}

test("a silent member is lost once, and returns once", () => {
  const liveness = new Liveness(1, 3);
  liveness.startLeading([1, 2, 3], 0);
  ticks(liveness, 2);
  expect(liveness.report([1, 2, 3])).toEqual({ lost: [], returned: [] });
  liveness.heard(3);
  liveness.tick();
  expect(liveness.report([1, 2, 3])).toEqual({ lost: [2], returned: [] });
  expect(liveness.report([1, 2, 3])).toEqual({ lost: [], returned: [] });
  liveness.heard(2);
  expect(liveness.report([1, 2, 3])).toEqual({ lost: [], returned: [2] });
});

test("a new leader counts the old one's silence from when it was last heard, the others' from now", () => {
  const liveness = new Liveness(1, 3);
  liveness.heard(2);
  liveness.heard(3);
  ticks(liveness, 3);
  liveness.startLeading([1, 2, 3], 2);
  expect(liveness.report([1, 2, 3])).toEqual({ lost: [2], returned: [] });
});

test("losses are reported again in each leadership", () => {
  const liveness = new Liveness(1, 2);
  liveness.startLeading([1, 2], 0);
  ticks(liveness, 2);
  expect(liveness.report([1, 2]).lost).toEqual([2]);
  liveness.startLeading([1, 2], 2);
  expect(liveness.report([1, 2]).lost).toEqual([2]);
});
