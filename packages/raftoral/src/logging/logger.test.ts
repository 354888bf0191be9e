import { expect, test } from "vitest";
import { formatLogLine } from "./log-lines.ts";
import { createLogger, type LogFormat, type LogLevel } from "./logger.ts";

function logged(level: LogLevel, format: LogFormat, isTty: boolean): string[] {
  const lines: string[] = [];
  const write = (text: string, tone: string) => lines.push(tone === "plain" ? text : `${tone}: ${text}`);
  const logger = createLogger({ level, format, target: { isTty, write } });
  logger.info({ nodeId: 1, address: "127.0.0.1:5001" }, "node started");
  logger.warn({ err: Object.assign(new Error("no route"), { code: "EHOSTUNREACH" }) }, "a peer is silent");
  return lines;
}

test("records are JSON where a machine reads them", () => {
  const [first] = logged("info", "auto", false);
  expect(JSON.parse(first ?? "")).toMatchObject({
    level: 30,
    nodeId: 1,
    msg: "node started",
    time: expect.any(Number),
  });
});

test("records are lines on a terminal, warnings in a tone of their own", () => {
  const [first, second] = logged("info", "auto", true);
  expect(first).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}node started nodeId=1 address=127\.0\.0\.1:5001\n$/);
  expect(second).toContain('a peer is silent err="EHOSTUNREACH: no route"');
  expect(second?.startsWith("warning: ")).toBe(true);
});

test("a format that is asked for wins over the terminal", () => {
  expect(logged("info", "json", true)[0]).toMatch(/^\{/);
  expect(logged("info", "pretty", false)[0]).toMatch(/INFO {2}node started/);
});

test("nothing below the level is written", () => {
  expect(logged("warn", "json", false)).toHaveLength(1);
  expect(logged("silent", "json", false)).toHaveLength(0);
});

test("a message of several lines is one line", () => {
  expect(formatLogLine(JSON.stringify({ level: 50, time: 0, msg: "a\nb" }))).toEqual({
    text: "00:00:00.000 ERROR a\\nb\n",
    tone: "failure",
  });
});

test("what is no record is passed on as it is", () => {
  expect(formatLogLine("plain words")).toEqual({ text: "plain words", tone: "plain" });
});
