import { expect, test } from "vitest";
import { formatDuration, formatTime, parseDuration } from "./durations.ts";
import { clip, formatFields, formatTable } from "./table.ts";
import { printable, visible } from "./visible.ts";

test("columns are as wide as their widest cell, numbers to the right", () => {
  const table = formatTable(
    [{ title: "ID" }, { title: "N", align: "right" }],
    [
      ["a", "1"],
      ["long", "100"],
      ["ünï", ""],
    ],
  );
  expect(table).toBe("ID      N\na       1\nlong  100\nünï\n");
});

test("values of fields stand below each other", () => {
  expect(
    formatFields([
      ["Node", "1"],
      ["Cluster", "x"],
    ]),
  ).toBe("Node:     1\nCluster:  x\n");
});

test("no control character of any kind is printed as it is", () => {
  const text = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code)).join("");
  expect(visible(`${text}\u2028\u202e\u2066`)).not.toMatch(/[\p{Cc}\u2028\u202e\u2066]/u);
  expect(visible("\u007f\u009b1m\u202e")).toBe("\\u007f\\u009b1m\\u202e");
  expect(visible("Ünïcödé 👩‍🚀 b")).toBe("Ünïcödé 👩‍🚀 b");
});

test("text of several lines keeps its lines, and JSON its meaning", () => {
  expect(printable("a\n\tb\r\x1b[2J\u009b1m")).toBe("a\n\tb\\r\\u001b[2J\\u009b1m");
  const value = { text: Array.from({ length: 0x3000 }, (_, code) => String.fromCharCode(code)).join("") };
  for (const indent of [undefined, 2])
    expect(JSON.parse(printable(JSON.stringify(value, undefined, indent)))).toEqual(value);
});

test("no value can break a table", () => {
  expect(clip("a\nb\x1b[31m", 40)).toBe("a\\nb\\u001b[31m");
  expect(clip("abcdef", 4)).toBe("abc…");
  expect(clip("abcd", 4)).toBe("abcd");
});

test.each([
  ["500ms", 500],
  ["10s", 10_000],
  ["1.5s", 1_500],
  ["5m", 300_000],
  ["2h", 7_200_000],
])("%s is %d ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

test.each(["", "5", "s", "-1s", "0s", "1d", "1 s"])("%j is no length of time", (text) =>
  expect(() => parseDuration(text)).toThrow(/with its unit/),
);

test.each([
  [0, "0ms"],
  [999, "999ms"],
  [12_340, "12.3s"],
  [59_999, "59.9s"],
  [247_000, "4m 07s"],
  [7_500_000, "2h 05m"],
])("%d ms is shown as %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

test("a time is UTC to the second", () => {
  expect(formatTime(1_700_000_000_000)).toBe("2023-11-14 22:13:20");
  expect(formatTime(0)).toBe("-");
});
