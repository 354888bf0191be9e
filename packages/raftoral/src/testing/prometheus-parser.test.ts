import { describe, expect, test } from "vitest";
import { parsePrometheusText, sampleOf } from "./prometheus-parser.ts";

const head = (name: string, type = "gauge"): string => `# HELP ${name} what it is\n# TYPE ${name} ${type}\n`;

describe("the reader of Prometheus' text", () => {
  test("reads names, labels with escapes, and numbers of every form", () => {
    const text = `${head("a")}a{x="q\\"b\\\\s\\nn",y="2"} 1.5e-7\na{x="",y="2"} +Inf\n${head("b_total", "counter")}b_total 3\n`;
    const families = parsePrometheusText(text);
    expect(families.get("a")?.samples.map(({ labels }) => labels.x)).toEqual(['q"b\\s\nn', ""]);
    expect(sampleOf(families, "a", { x: "" })).toBe(Number.POSITIVE_INFINITY);
    expect(sampleOf(families, "b_total")).toBe(3);
  });

  const histogram = (lines: string): string => `${head("h", "histogram")}${lines}`;
  const mistakes: [name: string, text: string, message: RegExp][] = [
    ["no end of line", `${head("a")}a 1`, /does not end/],
    ["a series before its TYPE", "a 1\n", /without its TYPE/],
    ["a TYPE before its HELP", "# TYPE a gauge\na 1\n", /without its HELP/],
    ["a family in two pieces", `${head("a")}a 1\n${head("b")}b 1\n${head("a")}a{x="1"} 1\n`, /two pieces/],
    ["a series twice", `${head("a")}a{x="1",y="2"} 1\na{y="2",x="1"} 1\n`, /second time/],
    ["a series of another family", `${head("a")}b 1\n`, /in the family a/],
    ["a counter without _total", `${head("a", "counter")}a 1\n`, /_total/],
    ["a negative counter", `${head("a_total", "counter")}a_total -1\n`, /below 0/],
    ["no number", `${head("a")}a one\n`, /not a number/],
    ["a timestamp, which we never give", `${head("a")}a 1 1700000000\n`, /not a number/],
    ["a name with a dot", `${head("a.b")}a.b 1\n`, /not a name/],
    ["a label without quotes", `${head("a")}a{x=1} 1\n`, /not a label/],
    ["an escape that is none", `${head("a")}a{x="\\t"} 1\n`, /no escape/],
    ["a quote escaped in a HELP", '# HELP a \\"\n# TYPE a gauge\na 1\n', /no escape/],
    ["a family without series", head("a"), /no series/],
    ["no last bucket", histogram('h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n'), /no last bucket/],
    ["buckets that shrink", histogram('h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n'), /fewer/],
    [
      "bounds that fall",
      histogram('h_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n'),
      /above/,
    ],
    ["a count of its own", histogram('h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n'), /last bucket/],
    ["no sum", histogram('h_bucket{le="+Inf"} 1\nh_count 1\n'), /one sum/],
  ];
  for (const [name, text, message] of mistakes) {
    test(`refuses ${name}`, () => expect(() => parsePrometheusText(text)).toThrow(message));
  }
});
