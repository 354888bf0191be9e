import { describe, expect, test } from "vitest";
import { TestTime } from "./test-time.ts";
import { VirtualProcess, VirtualTime } from "./virtual-time.ts";

const START = Date.UTC(2026, 0, 1);
const DAY_MS = 24 * 3_600_000;

function setting({ quiet = (): boolean => true, hasRealWork = (): boolean => false } = {}) {
  const time = new VirtualTime({ startMs: START, settleMs: 1_000, isQuiet: quiet });
  const process = new VirtualProcess(time);
  const control = new TestTime({
    time,
    hasRealWork,
    realWaitMs: 50,
    stuck: (isHeld) => new Error(`stuck ${isHeld}`),
  });
  return { time, process, control };
}

/** Notes what happens, and when. */
function log(time: VirtualTime) {
  const lines: string[] = [];
  return { lines, note: (what: string) => () => void lines.push(`${time.elapsedMs} ${what}`) };
}

describe("timers", () => {
  test("fire in order of time, of setting where times are equal, with microtasks in between (V1)", async () => {
    const { time, process, control } = setting();
    const { lines, note } = log(time);
    process.programClock.after(20, note("late"));
    process.clock.after(10, () => {
      note("first")();
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(note("its microtask"));
    });
    process.programClock.after(10, note("second"));
    process.clock.soon(note("soon"));
    await control.advance(15);
    expect(lines).toEqual(["0 soon", "10 first", "10 its microtask", "10 second"]);
    expect(control.nowMs).toBe(START + 15);
  });

  test("of a process that has ended never fire (V3), and cancelled ones neither", async () => {
    const { time, process, control } = setting();
    const other = new VirtualProcess(time);
    const { lines, note } = log(time);
    process.clock.after(5, note("dead"));
    other.clock.after(5, note("cancelled"))();
    other.clock.after(6, note("alive"));
    process.end();
    await control.advance(10);
    expect(lines).toEqual(["6 alive"]);
  });

  test.each([Number.NaN, -5, Number.NEGATIVE_INFINITY])("take a delay of %s as none", async (delayMs) => {
    const { time, process, control } = setting();
    const { lines, note } = log(time);
    process.clock.after(delayMs, note("now"));
    await control.advance(0);
    expect(lines).toEqual(["0 now"]);
  });
});

describe("periodic timers (V2)", () => {
  test("are jumped over while the cluster is quiet: thirty days cost one tick", async () => {
    const { time, process, control } = setting();
    let ticks = 0;
    process.clock.every(100, () => {
      ticks += 1;
    });
    const woken = new Promise<number>((resolve) => {
      process.programClock.after(30 * DAY_MS, () => resolve(time.elapsedMs));
    });
    expect(await control.drive(woken)).toBe(30 * DAY_MS);
    expect(ticks).toBeLessThanOrEqual(1);
  });

  test("all fire while it is not, and for the settling time at most", async () => {
    let isQuiet = false;
    const { time, process, control } = setting({ quiet: () => isQuiet });
    let ticks = 0;
    process.clock.every(100, () => {
      ticks += 1;
      if (ticks === 4) isQuiet = true;
    });
    time.activity();
    await control.untilIdle();
    expect([ticks, time.elapsedMs]).toEqual([4, 400]);
    isQuiet = false;
    time.activity();
    await control.untilIdle();
    expect(time.elapsedMs).toBe(1_400);
  });
});

test("a workflow's timer is activity: what it leads to gets ticks, however long the time before it was", async () => {
  let isQuiet = true;
  const { time, process, control } = setting({ quiet: () => isQuiet });
  const heard = new Promise<number>((resolve) => {
    process.programClock.after(30 * DAY_MS, () => {
      // What it proposes is lost, and is sent again by a tick.
      isQuiet = false;
      process.clock.every(100, () => resolve(time.elapsedMs));
    });
  });
  expect(await control.drive(heard)).toBe(30 * DAY_MS + 100);
});

test("a call is activity: what it leads to gets ticks, however long nothing happened before it", async () => {
  const { time, process, control } = setting({ quiet: () => false });
  await control.advance("30d");
  control.release();
  const heard = new Promise<number>((resolve) => {
    process.clock.every(100, () => resolve(time.elapsedMs));
  });
  expect(await control.drive(heard)).toBe(30 * DAY_MS + 100);
});

describe("the test's control", () => {
  test("moves to the next timer of a workflow, and no further", async () => {
    const { time, process, control } = setting();
    const { lines, note } = log(time);
    process.clock.after(10, note("system"));
    process.programClock.after(3_600_000, note("woken"));
    process.programClock.after(7_200_000, note("later"));
    expect(await control.toNextTimer()).toBe(true);
    expect(lines).toEqual(["10 system", "3600000 woken"]);
    expect(await control.toNextTimer()).toBe(true);
    expect(await control.toNextTimer()).toBe(false);
  });

  test("once used, pending calls move no time (test-time.ts T2); release lets them again", async () => {
    const { process, control } = setting();
    const woken = new Promise<string>((resolve) => {
      process.programClock.after(1_000, () => resolve("woken"));
    });
    await control.advance(500);
    const driven = control.drive(woken);
    await control.untilIdle();
    expect(control.nowMs).toBe(START + 500);
    control.release();
    expect(await driven).toBe("woken");
    expect(control.nowMs).toBe(START + 1_000);
  });

  test("rejects a call that nothing can settle any more (test-time.ts T4)", async () => {
    const { control } = setting();
    await expect(control.drive(new Promise(() => {}))).rejects.toThrow("stuck false");
  });

  test("holds time for real work (test-time.ts T3)", async () => {
    let working = true;
    const { time, process, control } = setting({ hasRealWork: () => working });
    const { lines, note } = log(time);
    const worked = new Promise<void>((resolve) => {
      setTimeout(() => {
        lines.push(`${time.elapsedMs} worked`);
        working = false;
        resolve();
      }, 5);
    });
    process.programClock.after(10, note("woken"));
    await control.advance(20);
    await worked;
    expect(lines).toEqual(["0 worked", "10 woken"]);
  });
});
