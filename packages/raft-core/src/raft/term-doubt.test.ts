import { describe, expect, test } from "vitest";
import { TermDoubt } from "./term-doubt.ts";

const STEP = 2 ** 32;

describe("the term that a message tells", () => {
  test.each([0, 5, STEP, 2 ** 51])("is taken up to a step beyond the node's own: %i", (own) => {
    expect(new TermDoubt().takes(own + STEP, own, 7)).toBe(true);
  });

  test("is doubted further ahead, however often it comes within a tick (TD1)", () => {
    const doubt = new TermDoubt();
    for (let at = 0; at < 5; at++) expect(doubt.takes(1 + STEP, 0, 7)).toBe(false);
  });

  test("is taken when a later message bears it out, of the same term or of one near to it", () => {
    for (const again of [2 ** 40, 2 ** 40 + 3, 2 ** 40 - 3]) {
      const doubt = new TermDoubt();
      expect(doubt.takes(2 ** 40, 0, 7)).toBe(false);
      expect(doubt.takes(again, 0, 8)).toBe(true);
    }
  });

  test("is never taken so far ahead by a node that is in a term, however often it comes (TD1)", () => {
    const doubt = new TermDoubt();
    for (let tick = 0; tick < 5; tick++) expect(doubt.takes(6 + STEP, 5, tick)).toBe(false);
  });

  test("is doubted again when a later message tells of quite another", () => {
    const doubt = new TermDoubt();
    expect(doubt.takes(2 ** 40, 0, 7)).toBe(false);
    expect(doubt.takes(2 ** 45, 0, 8)).toBe(false);
    expect(doubt.takes(2 ** 45, 0, 9)).toBe(true);
  });

  test("is never believed where no elections would be left (TD2)", () => {
    const doubt = new TermDoubt();
    for (const told of [2 ** 52, 2 ** 51 + 1]) {
      for (let tick = 0; tick < 5; tick++) expect(doubt.takes(told, 0, tick)).toBe(false);
    }
    // A group that exists already goes on.
    expect(doubt.takes(2 ** 51 + 1, 2 ** 51, 9)).toBe(true);
  });
});
