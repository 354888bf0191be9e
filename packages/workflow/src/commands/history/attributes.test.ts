import { describe, expect, test } from "vitest";
import { encodeAttributes } from "../../model/attributes.ts";
import type { RunQuery } from "../../state/lists/run-query.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";

function bytesOf(
  values: Parameters<typeof encodeAttributes>[0] extends ReadonlyMap<string, infer Value>
    ? Record<string, Value>
    : never,
) {
  return encodeAttributes(new Map(Object.entries(values)));
}

function begun(): StateLog {
  const log = new StateLog();
  log.register(1);
  log.start("a", 1, {
    attributes: bytesOf({ customer: "ada", total: 40, tags: ["new", "vip"], due: { dateMs: 500 } }),
  });
  log.start("b", 1, { attributes: bytesOf({ customer: "bob", total: 7.5, open: true }) });
  log.start("c", 1, { attributes: bytesOf({ customer: "ada", total: -3 }) });
  log.start("d");
  return log;
}

const ids = (log: StateLog, query: RunQuery): readonly string[] => log.state.list(query).runs.map(({ runId }) => runId);
const where = (...attributes: NonNullable<RunQuery["attributes"]>): RunQuery => ({ attributes });

describe("runs are found by attributes", () => {
  test.each<[what: string, query: RunQuery, found: readonly string[]]>([
    ["a text", where({ name: "customer", in: ["ada"] }), ["c", "a"]],
    ["one of several", where({ name: "customer", in: ["ada", "bob"] }), ["c", "b", "a"]],
    ["a number", where({ name: "total", in: [7.5] }), ["b"]],
    ["a number of another type", where({ name: "total", in: ["7.5"] }), []],
    ["a text of a list", where({ name: "tags", in: ["vip"] }), ["a"]],
    ["two texts of a list, once", where({ name: "tags", in: ["vip", "new"] }), ["a"]],
    ["true", where({ name: "open", in: [true] }), ["b"]],
    ["a date", where({ name: "due", in: [{ dateMs: 500 }] }), ["a"]],
    ["a range", where({ name: "total", lower: { value: -3, isInclusive: false } }), ["b", "a"]],
    ["a range with its bound", where({ name: "total", upper: { value: 7.5, isInclusive: true } }), ["c", "b"]],
    [
      "a range of texts",
      where({ name: "customer", lower: { value: "a", isInclusive: true }, upper: { value: "b", isInclusive: false } }),
      ["c", "a"],
    ],
    ["any value", where({ name: "open" }), ["b"]],
    ["two conditions", where({ name: "customer", in: ["ada"] }, { name: "total", in: [40] }), ["a"]],
    ["another attribute", where({ name: "none", in: ["ada"] }), []],
    ["with another order", { ...where({ name: "total" }), isAscending: true }, ["a", "b", "c"]],
  ])("%s", (_what, query, found) => {
    const log = begun();
    expect(ids(log, query)).toEqual(found);
    expect(
      restoredFrom(log.state)
        .list(query)
        .runs.map(({ runId }) => runId),
    ).toEqual(found);
  });

  test("which follow what a body sets, and are gone with the run", () => {
    const log = begun();
    const owned = { runId: "a", owner: 1, epoch: log.epoch("a"), atMs: log.at };
    const value = bytesOf({ customer: "eve", tags: null });
    const change = { kind: "Checkpoint", ...owned, path: "attributes#0", recordKind: "attributes", value } as const;
    expect(log.apply(change)).toMatchObject({ ok: true, recorded: true });
    const after = new Map<string, unknown>([
      ["customer", "eve"],
      ["due", { dateMs: 500 }],
      ["total", 40],
    ]);
    expect(log.state.summary("a")?.attributes).toEqual(after);
    expect([ids(log, where({ name: "customer", in: ["ada"] })), ids(log, where({ name: "tags" }))]).toEqual([
      ["c"],
      [],
    ]);
    expect(ids(log, where({ name: "customer", in: ["eve"] }))).toEqual(["a"]);
    // The next generation begins with them.
    log.apply({ kind: "ContinueAsNew", ...owned, input: new Uint8Array(0) });
    expect(log.state.summary("a")).toMatchObject({ attributes: after, initialAttributes: after });
    expect(ids(log, where({ name: "customer", in: ["eve"] }))).toEqual(["a"]);
    log.end("a", 1, log.epoch("a"));
    expect(ids(log, { ...where({ name: "customer", in: ["eve"] }), statuses: ["completed"], sort: "ended" })).toEqual([
      "a",
    ]);
    log.prune({ keepAtMost: 0 });
    expect(ids(log, where({ name: "customer", in: ["eve"] }))).toEqual([]);
  });

  test("a change that is proposed again is made once", () => {
    const log = begun();
    const owned = { runId: "b", owner: 1, epoch: log.epoch("b"), atMs: log.at };
    const set = (path: string, customer: string): unknown =>
      log.apply({
        kind: "Checkpoint",
        ...owned,
        path,
        recordKind: "attributes",
        value: bytesOf({ customer }),
      });
    set("attributes#0", "one");
    set("attributes#1", "two");
    expect(set("attributes#0", "one")).toMatchObject({ ok: true, recorded: false });
    expect(log.state.summary("b")?.attributes.get("customer")).toBe("two");
  });
});

describe("attributes that a run cannot have are refused", () => {
  const broken = new TextEncoder().encode('{"a":{}}');

  test("at its start", () => {
    const log = begun();
    expect(log.start("e", 1, { attributes: broken })).toMatchObject({ ok: false, code: "ATTRIBUTES_INVALID" });
    expect(log.state.summary("e")).toBeUndefined();
  });

  test("in a record, alone and among others, and nothing changes", () => {
    const log = begun();
    const owned = { runId: "a", owner: 1, epoch: log.epoch("a"), atMs: log.at };
    const refused = { ok: false, code: "ATTRIBUTES_INVALID" };
    const one = { path: "attributes#0", recordKind: "attributes", value: broken } as const;
    expect(log.apply({ kind: "Checkpoint", ...owned, ...one })).toMatchObject(refused);
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`n${at}`, at]));
    const more = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`m${at}`, at]));
    const records = [many, more].map((values, at) => {
      return { path: `attributes#${at}`, recordKind: "attributes", value: bytesOf(values) } as const;
    });
    expect(log.apply({ kind: "Records", ...owned, records })).toMatchObject(refused);
    expect(log.state.summary("a")).toMatchObject({ recordCount: 0 });
    expect(log.state.summary("a")?.attributes.size).toBe(4);
  });
});
