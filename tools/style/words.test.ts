import { expect, test } from "vitest";
import { riddlesIn } from "./words.ts";

test("riddles are found with their lines, within lines and over the end of one", () => {
  const text = "Told to whoever asks.\n// It is taken no\n// more.\n * Nobody\n> is as\n> good as it was anew";
  expect(riddlesIn(text)).toEqual([
    { word: "whoever", line: 1 },
    { word: "no // more", line: 2 },
    { word: "Nobody", line: 4 },
    { word: "is as > good", line: 5 },
    { word: "anew", line: 6 },
  ]);
});

test("parts of other words are none", () => {
  expect(riddlesIn("no moreover, canewas, somebody, nomore")).toEqual([]);
});
