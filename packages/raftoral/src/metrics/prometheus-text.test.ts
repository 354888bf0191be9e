import { expect, test } from "vitest";
import { parsePrometheusText, sampleOf } from "../testing/prometheus-parser.ts";
import { Histogram } from "./histogram.ts";
import { counter, gauge, histogram, updown } from "./metric.ts";
import { PrometheusText, prometheusName } from "./prometheus-text.ts";

test("names follow OpenTelemetry's rules for Prometheus", () => {
  expect(prometheusName(counter("a.b-c", "{thing}", ""))).toBe("a_b_c_total");
  expect(prometheusName(counter("a.io", "By", ""))).toBe("a_io_bytes_total");
  expect(prometheusName(gauge("a.load", "1", ""))).toBe("a_load_ratio");
  expect(prometheusName(updown("a.used", "By", ""))).toBe("a_used_bytes");
  expect(prometheusName(gauge("a.used.bytes", "By", ""))).toBe("a_used_bytes");
  expect(prometheusName(histogram("a.duration", ""))).toBe("a_duration_seconds");
});

test("series of a metric stand together, in whatever order they came, with the common attributes", () => {
  const text = new PrometheusText({ "node.id": 7 });
  const one = gauge("one", "{thing}", 'a "quoted"\nback\\slash');
  const two = counter("two", "{thing}", "the second", ["x"]);
  text.add(one, 1, {});
  text.add(two, 2, { x: "a" });
  text.add(one, 3, { x: 'q"\\\n' });
  text.add(two, 4, { x: "b" });
  const families = parsePrometheusText(text.toString());
  expect([...families.keys()]).toEqual(["one", "two_total"]);
  expect(families.get("one")?.help).toBe('a "quoted"\nback\\slash');
  expect(sampleOf(families, "one", { node_id: "7", x: 'q"\\\n' })).toBe(3);
  expect(sampleOf(families, "two_total", { x: "b" })).toBe(4);
});

test("a series that is told twice is written once, as it was told last", () => {
  const text = new PrometheusText({});
  const one = gauge("one", "{thing}", "");
  text.add(one, 1, { x: 1 });
  text.add(one, 2, { x: 1 });
  expect(sampleOf(parsePrometheusText(text.toString()), "one")).toBe(2);
});

test("numbers that are none are written as Prometheus reads them", () => {
  const text = new PrometheusText({});
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21, 5e-324];
  const metric = gauge("g", "{thing}", "");
  for (const [at, value] of values.entries()) text.add(metric, value, { at });
  const samples = parsePrometheusText(text.toString()).get("g")?.samples ?? [];
  expect(samples.map(({ value }) => value)).toEqual(values);
});

test("a histogram's buckets add up, bounds included in theirs", () => {
  const metric = histogram("took", "time", ["kind"], [0.1, 1, 10]);
  const recorded = new Histogram(metric, { kind: "a" });
  for (const value of [0.05, 0.1, 0.100001, 1, 5, 11, 1000]) recorded.record(value);
  const text = new PrometheusText({});
  text.addHistogram(metric, recorded.read(), recorded.attributes);
  text.addHistogram(metric, new Histogram(metric, { kind: "b" }).read(), { kind: "b" });
  const families = parsePrometheusText(text.toString());
  const upTo = (le: string): number => sampleOf(families, "took_seconds_bucket", { kind: "a", le });
  expect([upTo("0.1"), upTo("1"), upTo("10"), upTo("+Inf")]).toEqual([2, 4, 5, 7]);
  expect(sampleOf(families, "took_seconds_sum", { kind: "a" })).toBeCloseTo(1017.250001);
  expect(sampleOf(families, "took_seconds_count", { kind: "a" })).toBe(7);
  expect(sampleOf(families, "took_seconds_count", { kind: "b" })).toBe(0);
});

test("a measurement also goes on, if somebody wants it", () => {
  const forwarded: number[] = [];
  const recorded = new Histogram(histogram("took", "time"), {}, (value) => forwarded.push(value));
  recorded.record(3);
  expect([forwarded, recorded.read().count, recorded.read().sum]).toEqual([[3], 1, 3]);
});
