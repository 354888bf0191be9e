import { describe, expect, test } from "vitest";
import { parseArguments, parseBool, parseWhole, ScriptError, wholeValues } from "./arguments.ts";
import { describeConfChanges, parseConfChanges } from "./conf-change-tokens.ts";
import { confChangeScript } from "./confchange-script.ts";
import { quorumScript } from "./quorum-script.ts";
import { runScript } from "./run-script.ts";
import { parseScript } from "./script.ts";

describe("a script", () => {
  test("is read into directives with input, expected output and line numbers", () => {
    const text = "# comment\n\nfirst a=1 \\\n  b=(2, 3)\nin 1\nin 2\n----\nout 1\nout 2\n\n\nsecond\n----\nok\n";
    expect(parseScript(text)).toEqual([
      {
        command: "first",
        args: [
          { key: "a", values: ["1"] },
          { key: "b", values: ["2", "3"] },
        ],
        input: "in 1\nin 2",
        expected: ["out 1", "out 2"],
        line: 3,
        expectedLine: 8,
      },
      { command: "second", args: [], input: "", expected: ["ok"], line: 12, expectedLine: 14 },
    ]);
  });

  test("without its separator is refused, with the line", () => {
    expect(() => parseScript("\ncommand 1\ninput\n")).toThrow(/line 2/);
  });

  test("reports every directive that prints something else, and goes on after one that throws", () => {
    const outcome = runScript("a\n----\nok\n\nb\n----\n1\n2\n\nc\n----\nx\n", ({ command }) => {
      if (command === "b") throw new TypeError("no b");
      return command === "c" ? "x\n" : "";
    });
    expect(outcome.directives).toBe(3);
    expect(outcome.mismatches.map(({ directive, actual }) => [directive.command, actual])).toEqual([
      ["b", ["TypeError: no b"]],
    ]);
  });
});

test("a mistake in a directive is what it prints", () => {
  const text = [
    "simple\nx1\n----\nunknown input: x1",
    "simple\nv\n----\nunknown token v",
    'simple\nv1 l2z\n----\nstrconv.ParseUint: parsing "2z": invalid syntax',
    "simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=3",
  ].join("\n\n");
  expect(runScript(text, confChangeScript())).toEqual({ directives: 4, mismatches: [] });
});

describe("arguments", () => {
  test("come bare, empty, with one value and with many; quotes mean nothing", () => {
    expect(parseArguments(' 1 "foo" k= l=() m=(1,2 , 3) n=x')).toEqual([
      { key: "1", values: undefined },
      { key: '"foo"', values: undefined },
      { key: "k", values: [""] },
      { key: "l", values: [] },
      { key: "m", values: ["1", "2", "3"] },
      { key: "n", values: ["x"] },
    ]);
    expect(() => parseArguments("m=(1")).not.toThrow();
    expect(() => parseArguments("=1")).toThrow(ScriptError);
  });

  test("are whole numbers and booleans only when they look like ones", () => {
    expect(wholeValues({ key: "k", values: ["1", "20"] })).toEqual([1, 20]);
    for (const text of ["", "-1", "1.5", "1e3", "0x1", "9007199254740992"])
      expect(() => parseWhole(text)).toThrow(ScriptError);
    expect(["1", "t", "TRUE", "0", "f", "False"].map(parseBool)).toEqual([true, true, true, false, false, false]);
    expect(() => parseBool("yes")).toThrow(ScriptError);
  });

  test("configuration changes read and print alike", () => {
    expect(describeConfChanges(parseConfChanges(" v1 l2  r3 u4 "))).toBe("v1 l2 r3 u4");
    expect(() => parseConfChanges("x1")).toThrow(ScriptError);
    expect(() => parseConfChanges("v")).toThrow(ScriptError);
  });
});

describe("scripts about quorums", () => {
  test("assign values over both halves, skipping repeats", () => {
    const text = [
      "committed cfg=(1,2) cfgj=(2,3) idx=(5,_,7)\n----\n       idx\nx>       5    (id=1)\n?        0    (id=2)\nxx>      7    (id=3)\n0",
      "vote cfg=(1,2,3) votes=(y,n,_)\n----\nVotePending",
      "vote cfg=(1,2) cfgj=(3) votes=(y,y,n)\n----\nVoteLost",
      "committed\n----\n<empty majority quorum>∞",
    ].join("\n\n");
    expect(runScript(text, quorumScript())).toEqual({ directives: 4, mismatches: [] });
  });

  test("with too few values are refused", () => {
    const outcome = runScript("vote cfg=(1,2) votes=(y)\n----\nVoteWon", quorumScript());
    expect(outcome.mismatches[0]?.actual[0]).toMatch(/2 voters, but 1 values/);
  });
});

test("scripts about configuration changes count every directive as an entry", () => {
  const text = [
    "simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=1",
    "simple\nr1\n----\nremoved all voters",
    "enter-joint autoleave=true\nl2 v3\n----\nvoters=(1 3)&&(1) learners=(2) autoleave\n" +
      "1: StateProbe match=0 next=1\n2: StateProbe match=0 next=2 learner\n3: StateProbe match=0 next=2",
    "leave-joint\nv9\n----\nthis command takes no input",
  ].join("\n\n");
  expect(runScript(text, confChangeScript())).toEqual({ directives: 4, mismatches: [] });
});
