import { describe, expect, test } from "vitest";
import { seededRng } from "../ports/rng.ts";
import { OrderedRecords } from "./ordered-records.ts";

function walked(records: OrderedRecords<number>, start: string, end: string): [string, number][] {
  const found: [string, number][] = [];
  for (const cursor = records.cursor(start, end); cursor.key !== undefined; cursor.next()) {
    found.push([cursor.key, cursor.value as number]);
  }
  return found;
}

function walkedBack(records: OrderedRecords<number>, start: string, end: string): [string, number][] {
  const found: [string, number][] = [];
  for (const cursor = records.cursorBack(start, end); cursor.key !== undefined; cursor.next()) {
    found.push([cursor.key, cursor.value as number]);
  }
  return found;
}

describe("ordered records", () => {
  test.each([1, 2, 3])("answer as a sorted table does (O1, O2), seed %i", (seed) => {
    const rng = seededRng(seed);
    const records = new OrderedRecords<number>();
    const model = new Map<string, number>();
    const key = (): string => `k${rng.below(3_000)}`;
    for (let step = 0; step < 20_000; step++) {
      const at = key();
      if (rng.below(3) === 0) expect(records.delete(at)).toBe(model.delete(at));
      else {
        expect(records.set(at, step)).toBe(!model.has(at));
        model.set(at, step);
      }
      if (step % 500 !== 0) continue;
      const [lo = "", hi = ""] = [key(), key()].sort();
      const expected = [...model].filter(([each]) => each >= lo && each < hi).sort(([a], [b]) => (a < b ? -1 : 1));
      expect(walked(records, lo, hi)).toEqual(expected);
      expect(walkedBack(records, lo, hi)).toEqual(expected.toReversed());
      expect(records.size).toBe(model.size);
    }
  });

  test("are walked though they change: what was there and stays comes once, in order", () => {
    const records = new OrderedRecords<number>();
    for (let i = 0; i < 2_000; i++) records.set(String(i).padStart(5, "0"), i);
    const seen: string[] = [];
    for (const cursor = records.cursor("0", "1"); cursor.key !== undefined; cursor.next()) {
      seen.push(cursor.key);
      records.delete(cursor.key);
      if (!cursor.key.endsWith("again")) records.set(`${cursor.key}-again`, 0);
      if (seen.length > 10_000) throw new Error("the walk does not end");
    }
    expect(seen.filter((key) => !key.endsWith("again"))).toHaveLength(2_000);
    expect(seen).toEqual(seen.toSorted());
  });

  test("are walked back though they change", () => {
    const records = new OrderedRecords<number>();
    for (let i = 0; i < 2_000; i++) records.set(String(i).padStart(5, "0"), i);
    const seen: string[] = [];
    for (const cursor = records.cursorBack("0", "1"); cursor.key !== undefined; cursor.next()) {
      seen.push(cursor.key);
      records.delete(cursor.key);
      records.set(`${cursor.key}-again`, 0);
      if (seen.length > 10_000) throw new Error("the walk does not end");
    }
    expect(seen).toHaveLength(2_000);
    expect(seen).toEqual(seen.toSorted().toReversed());
  });
});
