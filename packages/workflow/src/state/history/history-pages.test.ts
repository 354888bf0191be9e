import { MemoryStateStore, type StateKey } from "@raftoral/raft-core";
import { expect, test } from "vitest";
import { WorkflowState } from "../../machine/workflow-state.ts";
import { KEY_PREFIX } from "../../records/state-keys.ts";
import { NOTHING, StateLog } from "../../testing/state-log.ts";
import type { HistoryPage, HistoryQuery } from "./history-pages.ts";

/** A store that counts the records of histories that are read. */
class CountingStore extends MemoryStateStore {
  reads = 0;

  override get(key: StateKey): Uint8Array | undefined {
    if (isHistory(key)) this.reads += 1;
    return super.get(key);
  }

  override *scan(start: StateKey, end: StateKey): Generator<readonly [StateKey, Uint8Array]> {
    for (const entry of super.scan(start, end)) {
      if (isHistory(entry[0])) this.reads += 1;
      yield entry;
    }
  }
}

function isHistory(key: StateKey): boolean {
  return key.startsWith(KEY_PREFIX.history) || key.startsWith(KEY_PREFIX.archive);
}

/** Run `a` with as many records as `count`, named by their place. */
function withHistory(count: number): {
  readonly log: StateLog;
  readonly store: CountingStore;
  add(count: number): void;
} {
  const store = new CountingStore();
  const log = new StateLog(new WorkflowState(store));
  log.register(1);
  log.start("a");
  let next = 0;
  const add = (more: number): void => {
    for (const end = next + more; next < end; next++) log.checkpoint("a", `p#${next}`, next & 0xff, 1, log.epoch("a"));
    log.state.commit();
  };
  add(count);
  store.reads = 0;
  return { log, store, add };
}

function pages(log: StateLog, query: HistoryQuery, between: () => void = () => {}): readonly HistoryPage[] {
  const found: HistoryPage[] = [];
  for (let after: string | undefined; ; ) {
    const page = log.state.history("a", { ...query, ...(after === undefined ? {} : { after }) });
    if (page === undefined) throw new Error("there is no such history");
    found.push(page);
    after = page.next;
    if (after === undefined) return found;
    between();
  }
}

const pathsOf = (found: readonly HistoryPage[]) => found.flatMap(({ records }) => records.map(([path]) => path));
const names = (count: number) => Array.from({ length: count }, (_, i) => `p#${i}`);

test.each([0, 1, 3, 7, 8, 300])("HP2, HP3: %i records come in the order of the log, each once", (count) => {
  const { log } = withHistory(count);
  const running = pages(log, { maxRecords: 7 });
  expect(pathsOf(running)).toEqual(names(count));
  expect(running.slice(0, -1).every(({ records }) => records.length === 7)).toBe(true);
  log.end("a", 1, log.epoch("a"));
  expect(pathsOf(pages(log, { maxRecords: 7 }))).toEqual(names(count));
});

test("HP2: a page ends when it has enough bytes, and has one record at least", () => {
  const { log } = withHistory(20);
  for (const { records } of pages(log, { maxBytes: 1 })) expect(records).toHaveLength(1);
  expect(pages(log, { maxBytes: 100 }).length).toBeGreaterThan(2);
});

test("HP1: a page costs what it gives; the order is found out once for all pages", () => {
  const { log, store } = withHistory(10_000);
  const first = log.state.history("a", { maxRecords: 100 });
  expect(store.reads).toBeLessThanOrEqual(10_000 + 101);
  store.reads = 0;
  const second = log.state.history("a", { maxRecords: 100, after: first?.next ?? "" });
  expect(second?.records).toHaveLength(100);
  expect(store.reads).toBeLessThanOrEqual(101);
});

test("HP1: whether and how a run has ended is known without a look at its history", () => {
  const { log, store } = withHistory(10_000);
  const fresh = new StateLog(new WorkflowState(store));
  expect(fresh.state.end("a")).toEqual({ runId: "a", workflowType: "order", ended: undefined });
  log.end("a", 1, log.epoch("a"));
  log.state.commit();
  store.reads = 0;
  expect(new WorkflowState(store).end("a")?.ended?.outcome.status).toBe("completed");
  expect(new WorkflowState(store).input("a")).toEqual(NOTHING);
  expect(store.reads).toBe(0);
});

test("HP3: a reader goes on while records are added, and does not look for their order at each page", () => {
  const { log, store, add } = withHistory(1_000);
  const found = pages(log, { maxRecords: 10 }, () => add(1));
  expect(pathsOf(found).slice(0, 1_000)).toEqual(names(1_000));
  expect(store.reads).toBeLessThan(5_000);
});

test("a run that has taken the id of one that is gone does not continue its history", () => {
  const { log } = withHistory(20);
  const { next = "" } = log.state.history("a", { maxRecords: 5 }) ?? {};
  log.end("a", 1, log.epoch("a"));
  log.apply({ kind: "Prune", keepAtMost: 0, atMs: log.at, uptimeFromMs: 0, uptimeMs: 0, retentionMs: 1, rules: [] });
  log.start("a");
  expect(log.state.history("a", { after: next })).toBeUndefined();
  expect(log.state.history("a")).toEqual({ records: [] });
});
