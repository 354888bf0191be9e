import { metrics } from "@opentelemetry/api";
import { silentLogger } from "@raftoral/raft-core";
import { afterEach, describe, expect, test } from "vitest";
import { MeterReader } from "../testing/meter-reader.ts";
import { counter, gauge, histogram, updown } from "./metric.ts";
import { meterOf, OtelExport } from "./otel-export.ts";

afterEach(() => metrics.disable());

describe("which provider is used", () => {
  test("none where none was set: nothing is measured then", () => {
    expect(meterOf(undefined)).toBeUndefined();
  });

  test("the global one, and rather the one that is given", async () => {
    const [global, given] = [new MeterReader(), new MeterReader()];
    metrics.setGlobalMeterProvider(global.provider);
    for (const [provider, name] of [
      [undefined, "to.global"],
      [given.provider, "to.given"],
    ] as const) {
      meterOf(provider)?.createCounter(name).add(1);
    }
    expect((await global.read()).map(({ name }) => name)).toEqual(["to.global"]);
    expect((await given.read()).map(({ name }) => name)).toEqual(["to.given"]);
  });
});

describe("what a provider gets", () => {
  const all = [counter("c", "{x}", ""), updown("u", "By", ""), gauge("g", "1", ""), histogram("h", "")] as const;
  const [c, u, g, h] = all;

  test("values when it looks, durations as they come, with the common attributes; nothing after the end", async () => {
    const reader = new MeterReader();
    const meter = meterOf(reader.provider);
    if (meter === undefined) throw new Error("a provider was given");
    const otel = new OtelExport(meter, { "node.id": 7 }, silentLogger);
    let looks = 0;
    otel.observe(all, async (observe) => {
      looks += 1;
      observe(c, looks, { of: "a" });
      observe(u, 20);
      observe(g, 0.5);
    });
    const record = otel.forward(h, { of: "b" });
    record(0.003);
    record(3);
    const first = await reader.read();
    expect(first.map(({ name, unit, value }) => [name, unit, value]).sort()).toEqual([
      ["c", "{x}", 1],
      ["g", "1", 0.5],
      ["h", "s", 2],
      ["u", "By", 20],
    ]);
    expect(first.find(({ name }) => name === "c")?.attributes).toEqual({ "node.id": 7, of: "a" });
    expect(first.find(({ name }) => name === "h")?.attributes).toEqual({ "node.id": 7, of: "b" });
    otel.close();
    record(3);
    expect(await reader.sum("h")).toBe(2);
    expect(looks).toBe(1);
  });

  test("a provider that throws is left alone after the first time", () => {
    let calls = 0;
    const broken = {
      createHistogram: () => ({
        record: () => {
          calls += 1;
          throw new Error("full");
        },
      }),
    };
    const logged: string[] = [];
    const logger = { ...silentLogger, error: (_: object, message: string) => logged.push(message) };
    const otel = new OtelExport(broken as unknown as ConstructorParameters<typeof OtelExport>[0], {}, logger);
    const record = otel.forward(h, {});
    for (let at = 0; at < 3; at++) record(1);
    expect([calls, logged]).toEqual([1, ["the meter provider threw; durations are not handed to it any more"]]);
  });
});
