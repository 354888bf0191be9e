import { describe, expect, test } from "vitest";
import { FlushPace } from "./flush-pace.ts";

function after(pace: FlushPace, times: number, tookMs: number): string {
  for (let i = 0; i < times; i++) pace.record(tookMs);
  return pace.current;
}

describe("FlushPace", () => {
  test("goes to the background while flushes are slow, and comes back when they are quick", () => {
    const pace = new FlushPace("auto");
    expect(after(pace, 100, 0.3)).toBe("blocking");
    expect(after(pace, 1, 30)).toBe("blocking");
    expect(after(pace, 5, 30)).toBe("background");
    expect(after(pace, 100, 3)).toBe("background");
    expect(after(pace, 20, 0.5)).toBe("blocking");
    expect(after(pace, 100, 3)).toBe("blocking");
  });

  test("stays where it was told to stay", () => {
    expect(after(new FlushPace("blocking"), 100, 100)).toBe("blocking");
    expect(after(new FlushPace("background"), 100, 0.1)).toBe("background");
  });
});
