import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Timing, type TimingSpec } from "./timing.ts";

function times(spec: Partial<TimingSpec>, from: string, count = 3): readonly string[] {
  const timing = new Timing({ catchUpMs: 0, catchUp: "last", ...spec });
  return timing.upcoming(Date.parse(from), count).map((ms) => new Date(ms).toISOString().replace(".000Z", "Z"));
}

describe("a pattern in a time zone (TI2)", () => {
  test.each([
    // Clocks go from 2:00 to 3:00: what would be in the gap comes when it is over, once.
    ["Europe/Berlin", "0 30 2 * * *", "2026-03-28T12:00:00Z", ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]],
    ["America/New_York", "0 30 2 * * *", "2026-03-07T12:00:00Z", ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]],
    ["Australia/Lord_Howe", "0 15 2 * * *", "2026-10-03T00:00:00Z", ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]],
    // Clocks go at midnight: no day is passed over, and none comes twice.
    ["America/Santiago", "0 0 0 * * *", "2026-09-05T00:00:00Z", ["2026-09-05T04:00:00Z", "2026-09-06T04:00:00Z"]],
    // Clocks go back: a time that comes twice is met the first time.
    ["Europe/Berlin", "0 30 2 * * *", "2026-10-24T12:00:00Z", ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]],
    ["America/New_York", "0 30 1 * * *", "2026-10-31T12:00:00Z", ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]],
    ["Australia/Lord_Howe", "0 45 1 * * *", "2026-04-04T00:00:00Z", ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]],
    // A weekly one on the day of the change.
    ["Europe/Berlin", "0 12 * * 0", "2026-03-24T12:00:00Z", ["2026-03-29T10:00:00Z", "2026-04-05T10:00:00Z"]],
    ["America/New_York", "0 6 * * MON", "2026-10-30T00:00:00Z", ["2026-11-02T11:00:00Z", "2026-11-09T11:00:00Z"]],
  ] as const)("%s, %s after %s", (timeZone, cron, from, expected) => {
    expect(times({ cron: [cron], timeZone }, from, expected.length)).toEqual(expected);
  });

  test("of every half an hour has each moment once, over both changes", () => {
    const spec = { cron: ["0 */30 * * * *"], timeZone: "Europe/Berlin" };
    for (const from of ["2026-03-28T23:59:59Z", "2026-10-24T22:59:59Z"]) {
      const found = times(spec, from, 12).map((text) => Date.parse(text));
      expect(found.every((ms, at) => at === 0 || ms - (found[at - 1] ?? 0) === 1_800_000)).toBe(true);
    }
  });

  test("goes forward always, in every hour of a year with its changes", () => {
    for (const timeZone of ["Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Africa/Casablanca"]) {
      const timing = new Timing({ cron: ["0 30 2 * * *", "0 0 0 * * *"], timeZone, catchUpMs: 0, catchUp: "last" });
      let at = Date.UTC(2026, 0, 1);
      for (let day = 0; day < 700; day++) {
        const next = timing.nextMs(at);
        expect(next - at, `${timeZone} after ${new Date(at).toISOString()}`).toBeGreaterThan(0);
        expect(next - at).toBeLessThanOrEqual(25 * 3_600_000);
        at = next;
      }
    }
  });

  test("has leap days, seconds, and ends where no day fits", () => {
    expect(times({ cron: ["0 0 29 2 *"] }, "2026-01-01T00:00:00Z", 2)).toEqual([
      "2028-02-29T00:00:00Z",
      "2032-02-29T00:00:00Z",
    ]);
    expect(times({ cron: ["*/20 * * * * *"] }, "2026-01-01T00:00:05.500Z", 2)).toEqual([
      "2026-01-01T00:00:20Z",
      "2026-01-01T00:00:40Z",
    ]);
    expect(times({ cron: ["0 0 30 2 *"] }, "2026-01-01T00:00:00Z")).toEqual([]);
    // Both the day of the month and that of the week: either, as cron has it.
    expect(times({ cron: ["0 0 13 * FRI"] }, "2026-01-01T00:00:00Z", 3)).toEqual([
      "2026-01-02T00:00:00Z",
      "2026-01-09T00:00:00Z",
      "2026-01-13T00:00:00Z",
    ]);
  });
});

describe("calendars, intervals and bounds", () => {
  test("a calendar asks for all of its fields, and excluded ones are left out", () => {
    const friday = { daysOfMonth: "13", daysOfWeek: "FRI", hours: "9" };
    expect(times({ calendars: [friday] }, "2026-01-01T00:00:00Z", 2)).toEqual([
      "2026-02-13T09:00:00Z",
      "2026-03-13T09:00:00Z",
    ]);
    const years = { ...friday, years: "2027-2028" };
    expect(times({ calendars: [years] }, "2026-01-01T00:00:00Z", 1)).toEqual(["2027-08-13T09:00:00Z"]);
    const holiday = { daysOfMonth: "13", months: "3", hours: "*", minutes: "*" };
    expect(times({ calendars: [friday], excluding: [holiday] }, "2026-02-14T00:00:00Z", 1)).toEqual([
      "2026-11-13T09:00:00Z",
    ]);
    expect(times({ cron: ["0 0 * * *"], excluding: [{}] }, "2026-01-01T00:00:00Z")).toEqual([]);
  });

  test("an interval counts from the epoch and its offset, and moments on which sources agree are one", () => {
    const spec = { everyMs: 3_600_000, offsetMs: 900_000, cron: ["15 3 * * *"] };
    expect(times(spec, "2026-01-01T02:15:00Z", 2)).toEqual(["2026-01-01T03:15:00Z", "2026-01-01T04:15:00Z"]);
    expect(times({ everyMs: 1000 }, "2026-01-01T00:00:00.001Z", 1)).toEqual(["2026-01-01T00:00:01Z"]);
  });

  test("nothing is before the start or after the end, and both are included", () => {
    const [startAtMs, endAtMs] = [Date.UTC(2026, 0, 2), Date.UTC(2026, 0, 3)];
    const spec = { cron: ["0 0 * * *"], startAtMs, endAtMs };
    expect(times(spec, "2025-01-01T00:00:00Z", 5)).toEqual(["2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"]);
  });

  test("jitter is a part that every leader computes alike, within its bound", () => {
    const timing = new Timing({ everyMs: 1000, jitterMs: 500, catchUpMs: 0, catchUp: "last" });
    const parts = Array.from({ length: 200 }, (_, at) => timing.dueMs("s", at * 1000) - at * 1000);
    expect(Math.min(...parts.slice(1))).toBeGreaterThanOrEqual(0);
    expect(Math.max(...parts)).toBeLessThanOrEqual(500);
    expect(new Set(parts).size).toBeGreaterThan(50);
    expect(Timing.decode(timing.encode()).dueMs("s", 5000)).toBe(timing.dueMs("s", 5000));
  });

  test.each([
    [{ cron: ["nonsense"] }, /pattern "nonsense"/],
    [{ cron: ["61 * * * *"] }, /pattern/],
    [{ cron: ["0 0 * * *"], timeZone: "Mars/Base" }, /Mars/],
    [{ cron: ["* * * * * * *"] }, /pattern/],
    [{ calendars: [{ hours: "25" }] }, /pattern/],
    [{ everyMs: 10 }, /interval/],
    [{}, /no cron pattern/],
    [{ cron: Array.from({ length: 51 }, () => "0 0 * * *") }, /more than 50/],
  ])("%j is refused", (spec, message) => {
    const make = () => new Timing({ catchUpMs: 0, catchUp: "last", ...(spec as object) } as TimingSpec);
    expect(make).toThrow(expect.objectContaining({ code: "SCHEDULE_INVALID" }));
    expect(make).toThrow(message);
  });
});

test("any text is a pattern whose occurrences go forward, or SCHEDULE_INVALID", () => {
  const field = fc.oneof(
    fc.constantFrom("*", "*/5", "1-5", "L", "LW", "MON#2", "?", "0", "59", "31", "FRI", "15W", "2027"),
    fc.string(),
  );
  const pattern = fc.array(field, { minLength: 1, maxLength: 7 }).map((fields) => fields.join(" "));
  const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "nowhere");
  fc.assert(
    fc.property(fc.oneof(pattern, fc.string()), zone, (cron, timeZone) => {
      try {
        const timing = new Timing({
          cron: [cron],
          calendars: [{ hours: cron }],
          timeZone,
          catchUpMs: 0,
          catchUp: "last",
        });
        const found = timing.upcoming(Date.UTC(2026, 2, 28), 3);
        expect([...found].sort((a, b) => a - b)).toEqual(found);
      } catch (error) {
        expect(error).toMatchObject({ code: "SCHEDULE_INVALID" });
      }
    }),
  );
  for (const bytes of [[], [123], [0xff]]) {
    expect(() => Timing.decode(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: "SCHEDULE_INVALID" }));
  }
});
