/**
 * A strict reader of Prometheus' text format (version 0.0.4): refuses what a server would take with a shrug or misread. It
 * wants what the format's description recommends, too: HELP and TYPE before the series, each family in one piece.
 */

/** One metric with its samples. */
export interface ParsedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

/** One line with a value. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;
const SUFFIXES = ["_bucket", "_sum", "_count"];

/** Families by name. Throws an Error that names the line. */
export function parsePrometheusText(text: string): ReadonlyMap<string, ParsedFamily> {
  if (text === "") return new Map();
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, { name: string; type: string; help: string; samples: ParsedSample[] }>();
  const seen = new Set<string>();
  let current: { name: string; type: string; help: string; samples: ParsedSample[] } | undefined;
  let help: { name: string; text: string } | undefined;
  for (const [at, line] of text.slice(0, -1).split("\n").entries()) {
    const fail = (problem: string): never => {
      throw new Error(`line ${at + 1}: ${problem}: ${line}`);
    };
    if (line.startsWith("# HELP ")) {
      const [, name = "", rest = ""] = /^# HELP (\S+) (.*)$/.exec(line) ?? fail("not a HELP");
      if (help !== undefined) fail("a HELP without its TYPE before it");
      help = { name, text: unescaped(rest, "\\", fail) };
    } else if (line.startsWith("# TYPE ")) {
      const [, name = "", type = ""] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? fail("not a TYPE");
      if (!NAME.test(name)) fail("not a name");
      if (help?.name !== name) fail("a TYPE without its HELP");
      if (families.has(name)) fail("a family in two pieces");
      current = { name, type, help: help?.text ?? "", samples: [] };
      families.set(name, current);
      help = undefined;
    } else {
      if (current === undefined || help !== undefined)
        throw new Error(`line ${at + 1}: a series without its TYPE: ${line}`);
      const sample = parseSample(line, fail);
      const base = current.type === "histogram" ? baseOf(sample.name) : sample.name;
      if (base !== current.name) fail(`a series in the family ${current.name}`);
      const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
      if (seen.has(identity)) fail("a series for the second time");
      seen.add(identity);
      if (current.type === "counter" && !(sample.value >= 0)) fail("a counter below 0");
      current.samples.push(sample);
    }
  }
  if (help !== undefined) throw new Error(`the HELP of ${help.name} has no TYPE`);
  for (const family of families.values()) checkFamily(family);
  return families;
}

function parseSample(line: string, fail: (problem: string) => never): ParsedSample {
  const name = /^[^{ ]+/.exec(line)?.[0] ?? "";
  if (!NAME.test(name)) fail("not a name");
  const labels: Record<string, string> = {};
  let rest = line.slice(name.length);
  if (rest.startsWith("{")) {
    rest = rest.slice(1);
    for (;;) {
      const match = /^([^=,}"]+)="((?:[^"\\]|\\.)*)"/.exec(rest) ?? fail("not a label");
      const [all, label = "", value = ""] = match;
      if (!LABEL.test(label) || label.startsWith("__")) fail(`not a label's name: ${label}`);
      if (Object.hasOwn(labels, label)) fail(`the label ${label} twice`);
      labels[label] = unescaped(value, '\\"', fail);
      rest = rest.slice(all.length);
      if (rest.startsWith("}")) break;
      if (!rest.startsWith(",")) fail("no comma between labels");
      rest = rest.slice(1);
    }
    rest = rest.slice(1);
  }
  if (!rest.startsWith(" ") || !NUMBER.test(rest.slice(1))) fail("not a number");
  return { name, labels, value: numberOf(rest.slice(1)) };
}

function numberOf(text: string): number {
  if (text.endsWith("Inf")) return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return Number(text);
}

/** `escapable` are the characters that a backslash may stand before, besides n. */
function unescaped(text: string, escapable: string, fail: (problem: string) => never): string {
  return text.replaceAll(/\\(.?)/g, (_, character: string) => {
    if (character === "n") return "\n";
    return character !== "" && escapable.includes(character) ? character : fail(`no escape: \\${character}`);
  });
}

function baseOf(name: string): string {
  const suffix = SUFFIXES.find((each) => name.endsWith(each));
  return suffix === undefined ? name : name.slice(0, -suffix.length);
}

function checkFamily({ name, type, samples }: ParsedFamily): void {
  if (samples.length === 0) throw new Error(`${name} has a TYPE and no series`);
  if (type === "counter" && !name.endsWith("_total")) throw new Error(`the counter ${name} does not end in _total`);
  if (type !== "histogram") return;
  const series = Map.groupBy(samples, ({ labels }) => {
    const { le: _, ...others } = labels;
    return JSON.stringify(Object.entries(others).sort());
  });
  for (const [labels, parts] of series) checkHistogram(`${name} ${labels}`, parts);
}

function checkHistogram(what: string, parts: readonly ParsedSample[]): void {
  const buckets = parts.filter((part) => part.name.endsWith("_bucket"));
  const counts = parts.filter((part) => part.name.endsWith("_count"));
  const sums = parts.filter((part) => part.name.endsWith("_sum"));
  if (counts.length !== 1 || sums.length !== 1) throw new Error(`${what} has not one sum and one count`);
  let bound = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const { labels, value } of buckets) {
    const next = numberOf(labels.le ?? "");
    if (!(next > bound)) throw new Error(`${what}: the bound ${labels.le} is not above the one before`);
    if (value < count) throw new Error(`${what}: fewer up to ${next} than up to ${bound}`);
    bound = next;
    count = value;
  }
  if (bound !== Number.POSITIVE_INFINITY) throw new Error(`${what} has no last bucket`);
  if (counts[0]?.value !== count) throw new Error(`${what}: the count is not that of the last bucket`);
}

/** The one value of a series; `labels` need not be all of them. Throws when there is none, or more than one. */
export function sampleOf(
  families: ReadonlyMap<string, ParsedFamily>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const family = families.get(name) ?? families.get(baseOf(name));
  const fitting = (family?.samples ?? []).filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  const [only] = fitting;
  if (only === undefined || fitting.length > 1) {
    throw new Error(`${fitting.length} series fit ${name} ${JSON.stringify(labels)}`);
  }
  return only.value;
}
