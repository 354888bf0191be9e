import { describe, expect, test } from "vitest";
import { decodeValue, encodeValue } from "../../author/values/json-value.ts";
import { WorkflowState } from "../../machine/workflow-state.ts";
import { pathHash } from "../../records/state-keys.ts";
import { CountingStore } from "../../testing/counting-store.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";
import { variableNameOf } from "./latest-variables.ts";

function started(state = new WorkflowState()): StateLog {
  const log = new StateLog(state);
  log.register(1);
  log.start("a");
  return log;
}

function set(
  log: StateLog,
  path: string,
  value: unknown,
  recordKind: "variable" | "variable-failed" | "step" = "variable",
) {
  const owned = { runId: "a", owner: 1, epoch: log.epoch("a"), atMs: log.at };
  return log.apply({ kind: "Checkpoint", ...owned, path, recordKind, value: encodeValue(value, path, 1e6) });
}

function variables(state: WorkflowState, query: { readonly name?: string } = {}): Record<string, unknown> {
  const page = state.variables({ runId: "a", ...query });
  return Object.fromEntries((page?.variables ?? []).map(({ name, value }) => [name, decodeValue(value, name)]));
}

/** Two names of one hash. */
function alike(): readonly [string, string] {
  const seen = new Map<number, string>();
  for (let at = 0; ; at++) {
    const name = `v${at}`;
    const other = seen.get(pathHash(name));
    if (other !== undefined) return [other, name];
    seen.set(pathHash(name), name);
  }
}

describe("the variables of a run", () => {
  test("are what was recorded last of each, by the names of their scopes", () => {
    const log = started();
    set(log, "status#0", "new");
    set(log, "ship/status#0", "packed");
    set(log, "status#1", "second");
    set(log, "status#0/set0", "paid");
    set(log, "status#0/set1", "sent");
    // Neither a failed change, nor another call, nor a record that is there already is a value.
    set(log, "status#0/set2", { message: "no" }, "variable-failed");
    set(log, "other#0", 1, "step");
    set(log, "status#0/set0", "again");
    expect(variables(log.state)).toEqual({ status: "sent", "ship/status": "packed", "status#1": "second" });
    expect(variables(log.state, { name: "ship/status" })).toEqual({ "ship/status": "packed" });
    expect(variables(log.state, { name: "none" })).toEqual({});
    expect(log.state.variables({ runId: "none" })).toBeUndefined();
  });

  test("are kept after the end, with few records and with many, in a snapshot too, until the run is pruned", () => {
    for (const changes of [3, 400]) {
      const log = started();
      set(log, "at#0", -1);
      for (let at = 0; at < changes; at++) set(log, `at#0/set${at}`, at);
      expect(variables(restoredFrom(log.state))).toEqual({ at: changes - 1 });
      log.end("a", 1, log.epoch("a"));
      expect(variables(log.state)).toEqual({ at: changes - 1 });
      expect(variables(restoredFrom(log.state))).toEqual({ at: changes - 1 });
      log.prune({ keepAtMost: 0 });
      expect(log.state.variables({ runId: "a" })).toBeUndefined();
      // Another run of the id has none of them.
      log.start("a");
      expect(variables(log.state)).toEqual({});
    }
  });

  test("of one hash are told apart", () => {
    const [first, second] = alike();
    const log = started();
    set(log, `${first}#0`, 1);
    set(log, `${second}#0`, 2);
    set(log, `${first}#0/set0`, 3);
    expect(variables(log.state)).toEqual({ [first]: 3, [second]: 2 });
    expect(variables(log.state, { name: second })).toEqual({ [second]: 2 });
  });

  test("come in pages, each once", () => {
    const log = started();
    const names = Array.from({ length: 25 }, (_, at) => `v${at}`);
    for (const name of names) set(log, `${name}#0`, name);
    const found: string[] = [];
    let after: string | undefined;
    do {
      const page = log.state.variables({ runId: "a", maxVariables: 10, ...(after === undefined ? {} : { after }) });
      expect(page?.variables.length).toBeLessThanOrEqual(10);
      found.push(...(page?.variables ?? []).map(({ name }) => name));
      after = page?.next;
    } while (after !== undefined);
    expect(found.toSorted()).toEqual(names.toSorted());
    expect(log.state.variables({ runId: "a", maxBytes: 1 })?.variables).toHaveLength(1);
    // A page of an earlier run of the id.
    expect(log.state.variables({ runId: "a", after: "1.2.3" })).toBeUndefined();
  });

  test("cost as much with a long history as with a short one", () => {
    const cost = (changes: number): unknown => {
      const store = new CountingStore();
      const log = started(new WorkflowState(store, 0));
      set(log, "at#0", -1);
      for (let at = 0; at < changes; at++) set(log, `at#0/set${at}`, at);
      log.state.commit();
      store.reset();
      set(log, `at#0/set${changes}`, changes);
      const toSet = store.touched;
      store.reset();
      expect(variables(log.state, { name: "at" })).toEqual({ at: changes });
      return { toSet, toRead: store.touched };
    };
    expect(cost(2_000)).toEqual(cost(10));
  });
});

test.each([
  ["status#0", "status"],
  ["status#0/set12", "status"],
  ["status#3", "status#3"],
  ["ship#1/map/7/status#0/set0", "ship#1/map/7/status"],
  ["a%2Fset1#0", "a%2Fset1"],
])("the variable of the record at %s is %s", (path, name) => {
  expect(variableNameOf(path)).toBe(name);
});
