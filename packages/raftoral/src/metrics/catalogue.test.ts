import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ALL_METRICS } from "./catalogue.ts";
import { prometheusName } from "./prometheus-text.ts";

const text = await readFile(join(import.meta.dirname, "../../../../docs/metrics.md"), "utf8");
const names = (cell: string): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "");

/** The rows of its tables, as what the catalogue would say. */
const documented = [...text.matchAll(/^\| `([^`]+)` \| `([^`]+)` \| (\w+) \| (\S+) \|([^|]*)\| ([^|]+) \|$/gm)].map(
  ([, name, prometheus, kind, unit, attributes = "", meaning = ""]) => ({
    entry: { name, prometheus, kind, unit, attributes: names(attributes) },
    meaning: meaning.trim(),
  }),
);

describe("docs/metrics.md", () => {
  test("has every metric that there is, as it is, and no other", () => {
    const existing = ALL_METRICS.map((metric) => {
      const { name, kind, unit, attributes } = metric;
      return { name, prometheus: prometheusName(metric), kind, unit, attributes };
    });
    const byName = (a: { name?: string | undefined }, b: { name?: string | undefined }): number =>
      (a.name ?? "") < (b.name ?? "") ? -1 : 1;
    expect(documented.map(({ entry }) => entry).sort(byName)).toEqual(existing.sort(byName));
    expect(documented.filter(({ meaning }) => meaning.length < 10)).toEqual([]);
  });

  test("has alert rules of metrics and labels that there are, and a row for each of them", async () => {
    const rules = await readFile(join(import.meta.dirname, "../../../../docs/alert-rules.yaml"), "utf8");
    const alerts = [
      ...rules.matchAll(/- alert: (\w+)\n\s+expr: (.+)\n(?:\s+for: \d+[smh]\n)?\s+annotations:\n\s+summary: "(.+)"\n/g),
    ];
    expect(alerts.length).toBe(rules.match(/- alert:/g)?.length);
    const rows = [...text.slice(text.indexOf("## Alerts")).matchAll(/^\| `(Raftoral\w+)` \| (.+) \|$/gm)];
    expect(rows.map(([, name, summary]) => [name, summary])).toEqual(
      alerts.map(([, name, , summary]) => [name, summary]),
    );
    const labels = new Set(
      ALL_METRICS.flatMap(({ attributes }) => attributes.map((name) => name.replaceAll(".", "_"))),
    );
    for (const [, , expr = ""] of alerts) {
      const named = [...expr.matchAll(/(?:\{|by \(|on \(|, )([a-z_]+)(?=[=)])/g)].map(([, label = ""]) => label);
      expect(named.filter((label) => !labels.has(label))).toEqual([]);
    }
    const known = new Set(
      ALL_METRICS.flatMap((metric) => {
        const name = prometheusName(metric);
        return metric.kind === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
      }),
    );
    const used = [...rules.matchAll(/\b((?:raftoral|nodejs|process)_\w+)(?=[[{) ])/g)]
      .map(([, name]) => name ?? "")
      .filter((name) => !labels.has(name));
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((name) => !known.has(name) && !name.startsWith("raftoral_run_state"))).toEqual([]);
  });
});

describe("the catalogue", () => {
  test("has each name once, in either form", () => {
    for (const all of [ALL_METRICS.map(({ name }) => name), ALL_METRICS.map(prometheusName)]) {
      expect(new Set(all).size).toBe(all.length);
    }
  });

  test("gives bounds to histograms alone, ascending", () => {
    for (const { kind, bounds } of ALL_METRICS) {
      expect(bounds.length > 0).toBe(kind === "histogram");
      expect([...bounds].sort((a, b) => a - b)).toEqual(bounds);
    }
  });
});
