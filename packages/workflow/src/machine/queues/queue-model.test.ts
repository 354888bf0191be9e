// Random programs over queues, against the plainest reading of the invariants Q1 to Q4 (state/queues/admission.ts), on a machine, on one that was restored and on one that crashed.
import { MemoryStateStore } from "@raftoral/raft-core";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { RunSummary } from "../../state/runs/run-view.ts";
import { restoredFrom, StateLog } from "../../testing/state-log.ts";
import { WorkflowState } from "../workflow-state.ts";

const TYPES = [
  { type: "order", version: 1 },
  { type: "mail", version: 1 },
];
const ALL = TYPES;
const SOME = TYPES.slice(0, 1);

const action = fc.record({
  kind: fc.constantFrom(
    ...["start", "start", "start", "start", "end", "end", "end", "cancel", "pause", "resume", "limits", "hold"],
    ...["lose", "drain", "restart", "rate", "continue", "delete", "move", "open", "jump", "restore", "admit"],
    ...["type", "still", "retry"],
  ),
  type: fc.constantFrom("order", "order", "mail"),
  key: fc.constantFrom("", "a", "b", "c"),
  priority: fc.constantFrom(999, 1_000, 1_000, 1_001),
  limits: fc.record({
    concurrency: fc.constantFrom(0, 1, 2, 4),
    perKey: fc.constantFrom(0, 1, 2),
    perNode: fc.constantFrom(0, 1, 2),
    rateLimit: fc.constantFrom(0, 0, 0, 3),
  }),
  node: fc.integer({ min: 1, max: 3 }),
  pick: fc.nat({ max: 1_000 }),
  debounceMs: fc.constantFrom(0, 0, 0, 5),
});
type Action = typeof action extends fc.Arbitrary<infer One> ? One : never;

class Program {
  log: StateLog;
  #process = 0;
  #limits = { concurrency: 2, perKey: 0, perNode: 0, rateLimit: 0 };
  #isPaused = false;
  #isTypePaused = false;
  #before: readonly RunSummary[] = [];
  #started = 0;
  /** Runs of which nodes have tried code that did not fit: they do not come back to them. */
  readonly #tried = new Set<string>();

  constructor(log = new StateLog()) {
    this.log = log;
    for (const nodeId of [1, 2]) this.#register(nodeId, ALL);
    this.log.register(3, SOME, "first");
    this.#define();
  }

  get runs(): readonly RunSummary[] {
    return this.log.state.list({ limit: 1000, isAscending: true }).runs;
  }

  run(given: Action): void {
    const { kind } = given;
    this.#before = this.runs;
    const { log } = this;
    const atMs = log.at;
    const open = this.#before.filter(
      (run) => run.status === "running" || run.status === "queued" || run.status === "paused",
    );
    const one = open[given.pick % Math.max(1, open.length)];
    const over = this.#before.filter((run) => run.status === "cancelled" || run.status === "failed");
    const ended = over[given.pick % Math.max(1, over.length)];
    const owned = open.filter((run) => run.status === "running" && run.owner !== 0);
    const mine = owned[given.pick % Math.max(1, owned.length)];
    const by = mine && { runId: mine.runId, owner: mine.owner, epoch: mine.epoch, atMs };
    const process = log.state.nodes().find(({ nodeId }) => nodeId === given.node)?.incarnation ?? "";
    if (kind === "start") this.#start(given);
    else if (kind === "end" && by !== undefined)
      log.apply({ kind: "WorkflowEnd", ...by, outcome: { status: "cancelled", reason: "enough" } });
    else if (kind === "hold" && by !== undefined) {
      this.#tried.add(by.runId);
      log.apply({ kind: "Hold", ...by, path: "a#0", expected: "a", recorded: "b" });
    } else if (kind === "continue" && by !== undefined)
      log.apply({ kind: "ContinueAsNew", ...by, input: new Uint8Array(0) });
    else if (kind === "move" && by !== undefined) {
      const { runId, owner: oldOwner, epoch } = by;
      log.apply({ kind: "OwnerChange", runId, oldOwner, newOwner: given.node, reason: "load-balancing", atMs, epoch });
    } else if (kind === "cancel" && one !== undefined)
      log.apply({ kind: "Cancel", runId: one.runId, reason: "no", atMs });
    else if (kind === "pause" && one !== undefined)
      log.apply({ kind: "Pause", runId: one.runId, reason: "no", isNow: true, atMs, owner: 0, epoch: 0 });
    else if (kind === "retry" && ended !== undefined)
      log.apply({ kind: "Retry", runId: ended.runId, from: "", reason: "", requestId: "", atMs });
    else if (kind === "resume" && one !== undefined) log.apply({ kind: "Resume", runId: one.runId, atMs });
    else if (kind === "limits") {
      this.#limits = given.limits;
      this.#define();
    } else if (kind === "lose") log.lost(given.node, process);
    else if (kind === "drain") log.drain(given.node, process);
    else if (kind === "restart") this.#register(given.node, given.node === 3 ? SOME : ALL);
    else if (kind === "rate") log.admitAll({ queueId: 4, expiredTo: given.pick % 20, periodMs: 1_000 });
    else if (kind === "delete") log.apply({ kind: "QueueDelete", name: "q", atMs });
    else if (kind === "open") {
      this.#isPaused = !this.#isPaused;
      log.apply({ kind: "QueuePause", name: "q", isPaused: this.#isPaused, atMs });
    } else if (kind === "type") {
      this.#isTypePaused = !this.#isTypePaused;
      log.apply({ kind: "PauseType", workflowType: "mail", isPaused: this.#isTypePaused, reason: "no", atMs });
    } else if (kind === "still" && by !== undefined) {
      if (this.#isTypePaused && mine?.workflowType === "mail")
        log.apply({ kind: "Pause", ...by, reason: "", isNow: false });
    } else if (kind === "jump") log.at += 5;
    else if (kind === "admit") log.admitAll();
    else if (kind === "restore") this.#restore();
  }

  /** The invariants, read plainly. */
  check(): void {
    const { log } = this;
    expect(log.state.checkQueues()).toEqual([]);
    const [queue] = log.state.queues();
    if (queue === undefined) return;
    const { concurrency, perKey, perNode } = queue.limits;
    const now = this.runs.filter((run) => run.queue !== undefined);
    const through = now.filter((run) => run.status === "running");
    const was = new Set(this.#before.filter((run) => run.status === "running").map((run) => run.runId));
    const isNew = (runs: readonly RunSummary[]): boolean => runs.some((run) => !was.has(run.runId));
    const within = (runs: readonly RunSummary[], limit: number): void => {
      // Lowered limits end no run.
      if (limit > 0 && isNew(runs)) expect(runs.length).toBeLessThanOrEqual(limit);
    };
    within(through, concurrency);
    for (const key of ["a", "b", "c"])
      within(
        through.filter((run) => run.queue?.key === key),
        perKey,
      );
    for (const nodeId of [1, 2, 3]) {
      const here = through.filter((run) => run.owner === nodeId);
      const came = here.some((run) => this.#before.find(({ runId }) => runId === run.runId)?.owner !== nodeId);
      if (perNode > 0 && came) expect(here.length).toBeLessThanOrEqual(perNode);
    }
    if (log.state.queueDuties.isDue) return;
    const hasNode = (run: RunSummary): boolean =>
      !(this.#isTypePaused && run.workflowType === "mail") &&
      log.state.nodes().some(({ nodeId, status, types }) => {
        const room = perNode === 0 || through.filter(({ owner }) => owner === nodeId).length < perNode;
        return status === "live" && room && types.some(({ type }) => type === run.workflowType);
      });
    // Q2: what was let through has a node if one can take it.
    for (const run of through) if (run.owner === 0 && !this.#tried.has(run.runId)) expect(hasNode(run)).toBe(false);
    const waiting = now.filter((run) => run.status === "queued" && run.queue?.waitsFor !== "delay");
    const isOpen = queue.closedBy === undefined;
    for (const run of waiting) {
      const key = run.queue?.key ?? "";
      const isFull = perKey > 0 && key !== "" && through.filter((other) => other.queue?.key === key).length >= perKey;
      // Q3.
      expect(isOpen && !isFull && hasNode(run)).toBe(false);
      // Q4: within a key, of those that ask for the same.
      const came = through.filter((other) => !was.has(other.runId) && other.queue?.key === key);
      for (const other of came) {
        if (other.workflowType !== run.workflowType) continue;
        const [mine = 0, its = 0] = [run.queue?.priority, other.queue?.priority];
        expect(its > mine || (its === mine && other.family < run.family)).toBe(true);
      }
    }
  }

  /** The program goes on with another machine. */
  crashed(state: WorkflowState): void {
    const { index, at } = this.log;
    this.log = new StateLog(state);
    this.log.index = index;
    this.log.at = at;
  }

  #define(): void {
    const { rateLimit } = this.#limits;
    this.log.queue("q", { ...this.#limits, ratePeriodMs: rateLimit > 0 ? 1_000 : 0 });
  }

  #register(nodeId: number, types: typeof TYPES): void {
    this.log.register(nodeId, types, `process-${this.#process++}`);
  }

  #start({ type, key, priority, debounceMs, pick }: Action): void {
    const dedupeKey = debounceMs > 0 || pick % 7 === 0 ? "d" : "";
    this.log.enqueue(
      `run-${this.#started++}`,
      "q",
      { key, priority, dedupeKey, debounceMs, debounceMaxMs: 12 },
      { workflowType: type },
    );
  }

  #restore(): void {
    this.crashed(restoredFrom(this.log.state));
  }
}

test("limits hold, nothing waits that may go, and what goes goes in order", () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 10, maxLength: 90 }), (actions) => {
      const program = new Program();
      for (const each of actions) {
        program.run(each);
        program.check();
      }
    }),
    { numRuns: 150 },
  );
});

test("a node that crashed and has nothing in its cache decides as the others do", () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 10, maxLength: 60 }), (actions) => {
      let store = new MemoryStateStore({ isDurable: true });
      const [program, other] = [new Program(), new Program(new StateLog(new WorkflowState(store, 0)))];
      for (const [at, each] of actions.filter(({ kind }) => kind !== "restore").entries()) {
        program.run(each);
        other.run(each);
        other.log.state.commit();
        if (at % 10 !== 9) continue;
        void store.persist();
        store = store.reopen();
        other.crashed(new WorkflowState(store, 0));
      }
      const bytes = ({ log }: Program): string => Buffer.concat([...log.state.capture(1_000)]).toString("hex");
      expect(bytes(other)).toBe(bytes(program));
    }),
    { numRuns: 100 },
  );
});
