import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WorkflowState } from "../../machine/workflow-state.ts";
import { CountingStore } from "../../testing/counting-store.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";
import type { RunPage, RunQuery } from "./run-query.ts";
import { RUN_STATUSES, type RunStatus } from "./run-status.ts";

const TYPES = [
  { type: "order", version: 1 },
  { type: "mail", version: 1 },
];

/** What a run of the model is, beside what the state says of it. */
interface Known {
  readonly runId: string;
  readonly createdAtMs: number;
  /** Its place among all starts, and among all ends. */
  readonly began: number;
  readonly ended: number;
  readonly type: string;
  readonly owner: number;
  readonly status: RunStatus;
  readonly endedAtMs: number | undefined;
}

const action = fc.record({
  kind: fc.constantFrom("start", "start", "end", "continue", "lose", "prune"),
  type: fc.constantFrom("order", "mail"),
  at: fc.nat({ max: 2 }),
  owner: fc.constantFrom(1, 2),
  pick: fc.nat({ max: 1_000 }),
});

type Action = typeof action extends fc.Arbitrary<infer One> ? One : never;

/** A state that these actions lead to, and what is known of its runs. */
function ledTo(actions: readonly Action[]): { readonly log: StateLog; readonly known: readonly Known[] } {
  const log = new StateLog();
  log.register(1, TYPES);
  log.register(2, TYPES);
  const known = new Map<string, Known>();
  for (const [position, { kind, type, at, owner, pick }] of actions.entries()) {
    log.at += at;
    const open = [...known.values()].filter((run) => run.status === "running");
    const one = open[pick % Math.max(1, open.length)];
    if (kind === "start") {
      const runId = `${"abc"[pick % 3]}-${position}`;
      log.start(runId, owner, { workflowType: type });
      const facts = { began: position, ended: 0, status: "running", endedAtMs: undefined } as const;
      known.set(runId, { runId, type, owner, createdAtMs: log.at, ...facts });
    } else if (kind === "end" && one !== undefined) {
      const { runId } = one;
      const outcome = { status: "cancelled", reason: "enough" } as const;
      const by = { owner: one.owner, epoch: log.epoch(runId), atMs: log.at };
      log.apply({ kind: "WorkflowEnd", runId, outcome, ...by });
      known.set(runId, { ...one, status: "cancelled", endedAtMs: log.at, ended: position });
    } else if (kind === "continue" && one !== undefined) {
      const { runId, owner: by } = one;
      log.apply({
        kind: "ContinueAsNew",
        runId,
        input: new Uint8Array(0),
        atMs: log.at,
        owner: by,
        epoch: log.epoch(runId),
      });
    } else if (kind === "lose") {
      log.lost(owner);
      log.register(owner, TYPES, `process-${position}`);
      for (const run of known.values()) {
        if (run.status === "running") known.set(run.runId, { ...run, owner: log.owner(run.runId) ?? 0 });
      }
    } else if (kind === "prune") {
      const kept = [...known.values()].filter((run) => run.endedAtMs !== undefined).length - 1;
      log.prune({ keepAtMost: Math.max(0, kept) });
      for (const runId of known.keys()) if (log.state.summary(runId) === undefined) known.delete(runId);
    }
  }
  return { log, known: [...known.values()] };
}

const time = fc.nat({ max: 60 }).map((more) => 1_000 + more);
const range = fc.record({ fromMs: time, beforeMs: time }, { requiredKeys: [] });
const query: fc.Arbitrary<RunQuery> = fc.record(
  {
    statuses: fc.uniqueArray(fc.constantFrom(...RUN_STATUSES), { minLength: 1 }),
    workflowType: fc.constantFrom("order", "mail", "never"),
    owner: fc.nat({ max: 2 }),
    created: range,
    ended: range,
    runIdPrefix: fc.constantFrom("a", "b-", "c-1", "none"),
    sort: fc.constantFrom("created" as const, "ended" as const),
    isAscending: fc.boolean(),
    limit: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: ["limit"] },
);

/** What the query asks for, found the plain way. */
function expected(known: readonly Known[], asked: RunQuery): readonly string[] {
  const { statuses, workflowType, owner, created, ended, runIdPrefix, sort = "created", isAscending = false } = asked;
  const within = (ms: number, { fromMs = 0, beforeMs = Number.POSITIVE_INFINITY }) => ms >= fromMs && ms < beforeMs;
  const fitting = known.filter(
    (run) =>
      (statuses?.includes(run.status) ?? true) &&
      (workflowType ?? run.type) === run.type &&
      (owner === undefined || (run.endedAtMs === undefined && owner === run.owner)) &&
      within(run.createdAtMs, created ?? {}) &&
      (ended === undefined || (run.endedAtMs !== undefined && within(run.endedAtMs, ended))) &&
      (sort === "created" || run.endedAtMs !== undefined) &&
      run.runId.startsWith(runIdPrefix ?? ""),
  );
  const sign = isAscending ? 1 : -1;
  const place = (run: Known): number => (sort === "created" ? run.began : run.ended);
  return fitting.sort((a, b) => sign * (place(a) - place(b))).map(({ runId }) => runId);
}

function pagesOf(list: (asked: RunQuery) => RunPage, asked: RunQuery): readonly string[] {
  const ids: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = list({ ...asked, ...(cursor === undefined ? {} : { cursor }) });
    expect(page.runs.length).toBeLessThanOrEqual(asked.limit ?? 100);
    ids.push(...page.runs.map((run) => run.runId));
    if (page.next === undefined) return ids;
    cursor = page.next;
  }
}

describe("a list", () => {
  test("has, over its pages, what the conditions ask for, in order, and from any restored node", () => {
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 60 }),
        fc.array(query, { minLength: 3, maxLength: 6 }),
        (actions, asked) => {
          const { log, known } = ledTo(actions);
          const restored = restoredFrom(log.state);
          for (const each of asked) {
            const ids = expected(known, each);
            expect(pagesOf((one) => log.state.list(one), each)).toEqual(ids);
            expect(pagesOf((one) => restored.list(one), each)).toEqual(ids);
          }
          expect(restored.counts()).toEqual(log.state.counts());
          for (const { workflowType, status, runs } of log.state.counts()) {
            expect(known.filter((run) => run.type === workflowType && run.status === status)).toHaveLength(runs);
          }
          expect(log.state.counts().reduce((sum, { runs }) => sum + runs, 0)).toBe(known.length);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("has a run once, also when it continues as new between two pages", () => {
    const log = new StateLog();
    log.register(1);
    for (const runId of ["a", "b", "c"]) log.start(runId);
    const goOn = (runId: string): void => {
      const by = { owner: 1, epoch: log.epoch(runId), atMs: log.at };
      expect(log.apply({ kind: "ContinueAsNew", runId, input: new Uint8Array(0), ...by })).toMatchObject({ ok: true });
    };
    for (const isAscending of [true, false]) {
      const first = log.state.list({ limit: 2, isAscending });
      goOn("b");
      const rest = log.state.list({ limit: 2, isAscending, cursor: first.next ?? "" });
      expect([...first.runs, ...rest.runs].map(({ runId }) => runId).sort()).toEqual(["a", "b", "c"]);
    }
  });
});

describe("the work for a page", () => {
  /** Runs that have ended, of two types; one in a thousand is of the second one, and one in ten failed. */
  function many(runs: number): { readonly state: WorkflowState; readonly store: CountingStore } {
    const store = new CountingStore();
    const log = new StateLog(new WorkflowState(store, 0));
    log.register(1, TYPES);
    for (let run = 0; run < runs; run++) {
      const runId = `run-${run}`;
      log.at += 1;
      log.start(runId, 1, { workflowType: run % 1_000 === 7 ? "mail" : "order" });
      const by = { owner: 1, epoch: log.epoch(runId), atMs: log.at };
      const error = { name: "Error", message: "no" };
      const outcome =
        run % 10 === 0
          ? ({ status: "failed", error } as const)
          : ({ status: "completed", result: new Uint8Array(0) } as const);
      log.apply({ kind: "WorkflowEnd", runId, outcome, ...by });
    }
    log.state.commit();
    return { state: log.state, store };
  }

  const QUERIES: readonly RunQuery[] = [
    {},
    { isAscending: true },
    { sort: "ended" },
    { statuses: ["failed"] },
    { workflowType: "mail" },
    { workflowType: "order", statuses: ["failed"], sort: "ended" },
    { owner: 1 },
    { created: { fromMs: 3_000, beforeMs: 3_500 } },
    { ended: { fromMs: 3_000, beforeMs: 3_100 } },
    { runIdPrefix: "run-1234" },
    { runIdPrefix: "run-", statuses: ["failed"] },
    { runIdPrefix: "run-1234", sort: "ended" },
  ];

  test("does not grow with the number of runs", () => {
    const costs = [3_000, 12_000].map((runs) => {
      const { state, store } = many(runs);
      return QUERIES.map((query) => {
        store.reset();
        state.list({ ...query, limit: 20 });
        return store.touched;
      });
    });
    const [few = [], more = []] = costs;
    for (const [at, query] of QUERIES.entries()) {
      // What differs is how many entries there are to count, up to the bound.
      expect(more[at], JSON.stringify(query)).toBeLessThanOrEqual(Math.max(few[at] ?? 0, 2_200));
    }
  });

  test("ends early where few of many runs fit, and goes on from there", () => {
    const { state } = many(3_000);
    const asked: RunQuery = { runIdPrefix: "run-2", isAscending: true, limit: 200 };
    const first = state.list(asked);
    // Between run-299 and run-2000 nothing fits.
    expect([first.runs.length, first.runs.at(-1)?.runId, first.next === undefined]).toEqual([111, "run-299", false]);
    const second = state.list({ ...asked, cursor: first.next ?? "" });
    expect([second.runs.length, second.runs[0]?.runId]).toEqual([200, "run-2000"]);
  });
});
