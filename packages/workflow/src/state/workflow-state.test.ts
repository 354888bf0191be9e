import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CommandResult } from "../command/command-result.ts";
import type { WorkflowCommand } from "../command/workflow-command.ts";
import { command } from "../testing/arbitraries.ts";
import { SnapshotDecoder } from "./decode-snapshot.ts";
import { WorkflowState } from "./workflow-state.ts";

const NOTHING = new Uint8Array(0);
const ORDER = { type: "order", version: 1 };

class Log {
  readonly state = new WorkflowState();
  index = 0;
  at = 1000;

  apply(command: WorkflowCommand): CommandResult {
    this.index += 1;
    return this.state.apply(this.index, command);
  }

  register(nodeId: number, types = [ORDER], incarnation = `process-${nodeId}`): CommandResult {
    return this.apply({ kind: "NodeRegister", nodeId, incarnation, types, at: this.at });
  }

  start(runId: string, owner = 1, more: Partial<Extract<WorkflowCommand, { kind: "WorkflowStart" }>> = {}) {
    return this.apply({
      kind: "WorkflowStart",
      runId,
      type: "order",
      version: 1,
      input: NOTHING,
      owner,
      at: this.at,
      seed: NOTHING,
      ...more,
    });
  }

  owner(runId: string): number | undefined {
    return this.state.summary(runId)?.owner;
  }

  epoch(runId: string): number {
    return this.state.summary(runId)?.epoch ?? Number.NaN;
  }

  checkpoint(runId: string, key: string, value: number, owner: number, epoch: number): CommandResult {
    const bytes = Uint8Array.of(value);
    return this.apply({ kind: "Checkpoint", runId, key, value: bytes, at: this.at, owner, epoch, record: "STEP" });
  }

  end(runId: string, owner: number, epoch: number): CommandResult {
    const outcome = { status: "Completed", result: NOTHING } as const;
    return this.apply({ kind: "WorkflowEnd", runId, outcome, at: this.at, owner, epoch });
  }

  lost(nodeId: number, incarnation = `process-${nodeId}`, forget = false): CommandResult {
    return this.apply({ kind: "NodeLost", nodeId, incarnation, at: this.at, forget });
  }
}

describe("starting", () => {
  test("gives the run to the node that asks, when it has the type", () => {
    const log = new Log();
    log.register(1);
    log.register(2);
    expect(log.start("a", 2)).toMatchObject({ ok: true, created: true, owner: 2 });
  });

  test("gives the run to the least loaded node that has the type, when the one that asks has not", () => {
    const log = new Log();
    log.register(1);
    log.register(2);
    log.register(3, []);
    log.start("a", 1);
    expect(log.start("b", 3)).toMatchObject({ owner: 2 });
    expect(log.start("c", 3)).toMatchObject({ owner: 1 });
  });

  test("is idempotent by id, also after the end", () => {
    const log = new Log();
    log.register(1);
    const first = log.start("a");
    expect(log.start("a")).toMatchObject({ ok: true, created: false, epoch: log.epoch("a") });
    log.end("a", 1, log.epoch("a"));
    expect(log.start("a", 1, { version: 0 })).toMatchObject({ ok: true, created: false });
    expect(first).toMatchObject({ created: true });
  });

  test.each([
    ["type", { type: "mail" }],
    ["version", { version: 2 }],
    ["input", { input: Uint8Array.of(1) }],
  ])("refuses another %s under the same id", (_, more) => {
    const log = new Log();
    log.register(1, [ORDER, { type: "order", version: 2 }, { type: "mail", version: 1 }]);
    log.start("a");
    expect(log.start("a", 1, more)).toMatchObject({ ok: false, code: "WORKFLOW_ID_CONFLICT" });
  });

  test("takes the newest registered version when none is asked for", () => {
    const log = new Log();
    log.register(1, [ORDER, { type: "order", version: 3 }]);
    expect(log.start("a", 1, { version: 0 })).toMatchObject({ version: 3 });
  });

  test("refuses a type that nobody has registered, and lists what is", () => {
    const log = new Log();
    log.register(1);
    log.register(2, [{ type: "mail", version: 4 }]);
    expect(log.start("a", 1, { type: "ordre" })).toMatchObject({
      ok: false,
      code: "WORKFLOW_TYPE_UNKNOWN",
      details: { known: ["mail@4", "order@1"] },
    });
    expect(log.start("a", 1, { version: 2 })).toMatchObject({ code: "WORKFLOW_TYPE_UNKNOWN" });
    expect(log.state.size.running).toBe(0);
  });

  test("refuses an empty and an overlong id", () => {
    const log = new Log();
    log.register(1);
    expect(log.start("")).toMatchObject({ code: "WORKFLOW_ID_INVALID" });
    expect(log.start("x".repeat(513))).toMatchObject({ code: "WORKFLOW_ID_INVALID" });
  });
});

describe("fencing (A1)", () => {
  test("refuses every command of an owner whose epoch is over", () => {
    const log = new Log();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    const old = log.epoch("a");
    log.lost(1);
    expect(log.owner("a")).toBe(2);
    expect(log.epoch("a")).toBeGreaterThan(old);
    expect(log.checkpoint("a", "x#0", 1, 1, old)).toMatchObject({ code: "STALE_OWNER", details: { owner: 2 } });
    expect(log.checkpoint("a", "x#0", 1, 1, log.epoch("a"))).toMatchObject({ code: "STALE_OWNER" });
    expect(log.checkpoint("a", "x#0", 1, 2, old)).toMatchObject({ code: "STALE_OWNER" });
    expect(log.end("a", 1, old)).toMatchObject({ code: "STALE_OWNER" });
    const receive = { kind: "SignalReceive", runId: "a", key: "w#0", name: "go", timedOut: true, at: 0 } as const;
    expect(log.apply({ ...receive, owner: 1, epoch: old })).toMatchObject({ code: "STALE_OWNER" });
    expect(log.state.run("a")?.checkpoints).toEqual([]);
  });

  test("refuses a command in the name of nobody while the run has no owner", () => {
    const log = new Log();
    log.register(1);
    log.start("a", 1);
    log.lost(1);
    expect(log.owner("a")).toBe(0);
    expect(log.checkpoint("a", "x#0", 1, 0, log.epoch("a"))).toMatchObject({ code: "STALE_OWNER" });
  });

  test("hands out higher epochs when an id is used again after pruning (S3)", () => {
    const log = new Log();
    log.register(1);
    log.start("a");
    const before = log.epoch("a");
    log.end("a", 1, before);
    log.apply({ kind: "Prune", finishedBefore: 0, keepAtMost: 0, at: 0 });
    expect(log.start("a")).toMatchObject({ created: true });
    expect(log.epoch("a")).toBeGreaterThan(before);
    expect(log.checkpoint("a", "x#0", 1, 1, before)).toMatchObject({ code: "STALE_OWNER" });
  });
});

describe("checkpoints (A2)", () => {
  test("the first at a path stands and answers later ones", () => {
    const log = new Log();
    log.register(1);
    log.start("a");
    expect(log.checkpoint("a", "x#0", 1, 1, log.epoch("a"))).toMatchObject({ recorded: true });
    const second = log.checkpoint("a", "x#0", 2, 1, log.epoch("a"));
    expect(second).toMatchObject({ recorded: false, checkpoint: { value: Uint8Array.of(1) } });
    expect(log.state.summary("a")?.checkpointCount).toBe(1);
  });

  test("one of another kind at a path is refused as non-deterministic", () => {
    const log = new Log();
    log.register(1);
    log.start("a");
    const epoch = log.epoch("a");
    log.checkpoint("a", "x#0", 1, 1, epoch);
    const sleep = { kind: "Checkpoint", runId: "a", key: "x#0", value: NOTHING, at: 0, owner: 1, epoch } as const;
    expect(log.apply({ ...sleep, record: "SLEEP" })).toMatchObject({ code: "NON_DETERMINISM" });
  });

  test("carry the log clock, which never goes back (S2)", () => {
    const log = new Log();
    log.register(1);
    log.start("a");
    log.at = 5000;
    log.checkpoint("a", "x#0", 1, 1, log.epoch("a"));
    log.at = 10;
    const late = log.checkpoint("a", "x#1", 1, 1, log.epoch("a"));
    expect(late).toMatchObject({ checkpoint: { at: 5000 } });
    expect(log.state.clock).toBe(5000);
  });
});

describe("losing a node", () => {
  test("one command spreads all of its runs evenly over the live nodes that can take them", () => {
    const log = new Log();
    log.register(1);
    log.register(2);
    log.register(3);
    log.register(4, []);
    for (let run = 0; run < 10; run++) log.start(`run-${run}`, 1);
    expect(log.lost(1)).toMatchObject({ ok: true, moved: 10, orphaned: 0 });
    expect(log.state.nodes().map(({ nodeId, running }) => [nodeId, running])).toEqual([
      [1, 0],
      [2, 5],
      [3, 5],
      [4, 0],
    ]);
    const events = log.state.takeEvents().filter((event) => event.type === "owner-changed");
    expect(events).toHaveLength(10);
    expect(events[0]).toMatchObject({ from: 1, to: 2, reason: "NODE_FAILURE" });
  });

  test("leaves runs that nobody can take as orphans, until a node that can registers", () => {
    const log = new Log();
    log.register(1);
    log.register(2, []);
    log.start("a", 1);
    expect(log.lost(1)).toMatchObject({ moved: 1, orphaned: 1 });
    expect(log.state.size).toMatchObject({ running: 1, orphaned: 1 });
    expect(log.register(3)).toMatchObject({ moved: 1 });
    expect(log.state.summary("a")).toMatchObject({ owner: 3, reason: "ADOPTION", attempt: 2 });
  });

  test("is refused when the node has registered another process meanwhile", () => {
    const log = new Log();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    log.register(1, [ORDER], "restarted");
    expect(log.lost(1, "process-1")).toMatchObject({ code: "NODE_NOT_REGISTERED" });
    expect(log.owner("a")).toBe(1);
  });

  test("a node that left for good is forgotten, with the types only it had", () => {
    const log = new Log();
    log.register(1, [ORDER, { type: "mail", version: 1 }]);
    log.register(2);
    log.lost(1, "process-1", true);
    expect(log.state.nodes().map((node) => node.nodeId)).toEqual([2]);
    expect(log.start("a", 2, { type: "mail" })).toMatchObject({ code: "WORKFLOW_TYPE_UNKNOWN" });
  });

  test("a node that drains hands over its runs and takes no more", () => {
    const log = new Log();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    expect(log.apply({ kind: "NodeDrain", nodeId: 1, incarnation: "process-1", at: 0 })).toMatchObject({ moved: 1 });
    expect(log.state.summary("a")).toMatchObject({ owner: 2, reason: "DRAIN" });
    expect(log.start("b", 1)).toMatchObject({ owner: 2 });
  });
});

describe("registering", () => {
  test("again, the same process changes nothing", () => {
    const log = new Log();
    log.register(1);
    log.start("a");
    const epoch = log.epoch("a");
    expect(log.register(1)).toMatchObject({ moved: 0 });
    expect(log.epoch("a")).toBe(epoch);
  });

  test("a new process of a node keeps its runs, under new epochs (N3)", () => {
    const log = new Log();
    log.register(1);
    log.start("a");
    const epoch = log.epoch("a");
    expect(log.register(1, [ORDER], "restarted")).toMatchObject({ moved: 1, orphaned: 0 });
    expect(log.state.summary("a")).toMatchObject({ owner: 1, reason: "RESTART", attempt: 2 });
    expect(log.epoch("a")).toBeGreaterThan(epoch);
  });

  test("a new process without a run's type gives the run up (N1)", () => {
    const log = new Log();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    log.register(1, [], "restarted");
    expect(log.owner("a")).toBe(2);
  });
});

describe("changing the owner of one run", () => {
  test("moves it to a node that can take it", () => {
    const log = new Log();
    log.register(1);
    log.register(2);
    log.start("a", 1);
    const move = { kind: "OwnerChange", runId: "a", reason: "LOAD_BALANCING", at: 0, epoch: 0 } as const;
    expect(log.apply({ ...move, oldOwner: 2, newOwner: 1 })).toMatchObject({ code: "STALE_OWNER" });
    expect(log.apply({ ...move, oldOwner: 1, newOwner: 3 })).toMatchObject({ code: "OWNER_INCAPABLE" });
    expect(log.apply({ ...move, oldOwner: 1, newOwner: 2 })).toMatchObject({ ok: true, moved: 1 });
    expect(log.state.summary("a")).toMatchObject({ owner: 2, reason: "LOAD_BALANCING" });
  });
});

describe("signals (A3)", () => {
  const signal = (payload: number, signalId: string): WorkflowCommand => ({
    kind: "Signal",
    runId: "a",
    name: "go",
    payload: Uint8Array.of(payload),
    signalId,
    at: 0,
  });

  test("are delivered once each, in order, to whoever waits", () => {
    const log = new Log();
    log.register(1);
    log.start("a");
    const receive = { kind: "SignalReceive", runId: "a", name: "go", at: 0, owner: 1, epoch: log.epoch("a") } as const;
    log.apply(signal(1, "one"));
    log.apply(signal(1, "one"));
    log.apply(signal(2, "two"));
    expect(log.apply({ ...receive, key: "go#0", timedOut: true })).toMatchObject({
      checkpoint: { record: "SIGNAL", value: Uint8Array.of(1) },
    });
    expect(log.apply({ ...receive, key: "go#0", timedOut: false })).toMatchObject({ recorded: false });
    expect(log.apply({ ...receive, key: "go#1", timedOut: false })).toMatchObject({
      checkpoint: { value: Uint8Array.of(2) },
    });
    expect(log.apply({ ...receive, key: "go#2", timedOut: false })).toMatchObject({ code: "SIGNAL_MISSING" });
    expect(log.apply({ ...receive, key: "go#2", timedOut: true })).toMatchObject({
      checkpoint: { record: "SIGNAL_TIMEOUT" },
    });
  });

  test("are refused for runs that do not exist or have ended, and beyond the buffer", () => {
    const log = new Log();
    log.register(1);
    expect(log.apply(signal(1, ""))).toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
    log.start("a");
    for (let count = 0; count < 1000; count++) expect(log.apply(signal(1, ""))).toMatchObject({ ok: true });
    expect(log.apply(signal(1, ""))).toMatchObject({ code: "SIGNAL_BUFFER_FULL" });
    log.end("a", 1, log.epoch("a"));
    expect(log.apply(signal(1, ""))).toMatchObject({ code: "WORKFLOW_FINISHED" });
  });
});

describe("cancelling", () => {
  test("asks the owner, who ends the run", () => {
    const log = new Log();
    log.register(1);
    log.start("a");
    expect(log.apply({ kind: "Cancel", runId: "a", reason: "enough", at: 0 })).toMatchObject({ changed: true });
    expect(log.apply({ kind: "Cancel", runId: "a", reason: "again", at: 0 })).toMatchObject({ changed: false });
    expect(log.state.summary("a")).toMatchObject({ status: "Running", cancelReason: "enough" });
  });

  test("ends an orphan at once, and a cancelled run that becomes one", () => {
    const log = new Log();
    log.register(1);
    log.start("a", 1);
    log.start("b", 1);
    log.apply({ kind: "Cancel", runId: "b", reason: "early", at: 0 });
    log.lost(1);
    log.apply({ kind: "Cancel", runId: "a", reason: "late", at: 0 });
    expect(log.state.summary("a")).toMatchObject({ outcome: { status: "Cancelled", reason: "late" } });
    expect(log.state.summary("b")).toMatchObject({ outcome: { status: "Cancelled", reason: "early" } });
  });
});

describe("pruning", () => {
  test("drops finished runs by age and by number, a bounded number at once", () => {
    const log = new Log();
    log.register(1);
    for (let run = 0; run < 1500; run++) {
      log.at = 1000 + run;
      log.start(`run-${run}`);
      log.end(`run-${run}`, 1, log.epoch(`run-${run}`));
    }
    const prune = { kind: "Prune", at: 0 } as const;
    expect(log.apply({ ...prune, finishedBefore: 1003, keepAtMost: 5000 })).toMatchObject({ pruned: 3, more: false });
    expect(log.apply({ ...prune, finishedBefore: 0, keepAtMost: 10 })).toMatchObject({ pruned: 1000, more: true });
    expect(log.apply({ ...prune, finishedBefore: 0, keepAtMost: 10 })).toMatchObject({ pruned: 487, more: false });
    expect(log.state.list({}).runs.map((run) => run.runId)).toContain("run-1499");
    expect(log.state.size.finished).toBe(10);
  });
});

describe("listing", () => {
  test("filters and pages, newest start first", () => {
    const log = new Log();
    log.register(1, [ORDER, { type: "mail", version: 1 }]);
    log.register(2);
    for (let run = 0; run < 5; run++) log.start(`run-${run}`, 1 + (run % 2));
    log.start("mail", 1, { type: "mail" });
    log.end("run-0", 1, log.epoch("run-0"));
    const ids = (page: ReturnType<WorkflowState["list"]>) => page.runs.map((run) => run.runId);
    expect(ids(log.state.list({ status: "Completed" }))).toEqual(["run-0"]);
    expect(ids(log.state.list({ owner: 2 }))).toEqual(["run-3", "run-1"]);
    expect(ids(log.state.list({ type: "mail" }))).toEqual(["mail"]);
    const first = log.state.list({ limit: 4 });
    expect(ids(first)).toEqual(["mail", "run-4", "run-3", "run-2"]);
    expect(ids(log.state.list({ limit: 4, cursor: first.next ?? "" }))).toEqual(["run-1", "run-0"]);
  });
});

/** Half of the guesses at (owner, epoch) are made right, so that random sequences get somewhere. */
function aimed(state: WorkflowState, given: WorkflowCommand, position: number): WorkflowCommand {
  if (!("runId" in given) || position % 2 === 0) return given;
  const run = state.summary(given.runId);
  if (run === undefined) return given;
  if (given.kind === "OwnerChange") return { ...given, oldOwner: run.owner, epoch: run.epoch };
  return "epoch" in given ? { ...given, owner: run.owner, epoch: run.epoch } : given;
}

function restored(state: WorkflowState, chunkBytes: number): WorkflowState {
  const decoder = new SnapshotDecoder();
  for (const chunk of state.capture(chunkBytes)) {
    expect(chunk.length).toBeLessThanOrEqual(chunkBytes);
    decoder.push(chunk);
  }
  const copy = new WorkflowState();
  copy.replace(decoder.finish());
  return copy;
}

function everything(state: WorkflowState): unknown {
  const runs = state.list({ limit: 1000 }).runs.map((run) => state.run(run.runId));
  return { runs, nodes: state.nodes(), clock: state.clock, size: state.size };
}

describe("any sequence of commands", () => {
  test("keeps the invariants, and gives the same state and results to a node restored half-way", () => {
    fc.assert(
      fc.property(
        fc.array(command, { minLength: 20, maxLength: 80 }),
        fc.nat(),
        fc.integer({ min: 1, max: 300 }),
        (commands, cut, chunkBytes) => {
          const state = new WorkflowState();
          let copy: WorkflowState | undefined;
          let clock = 0;
          for (const [position, given] of commands.entries()) {
            const next = aimed(state, given, position);
            const result = state.apply(position + 1, next);
            if (copy !== undefined) expect(copy.apply(position + 1, next)).toEqual(result);
            if (position === cut % commands.length) copy = restored(state, chunkBytes);
            expect(state.clock).toBeGreaterThanOrEqual(clock);
            clock = state.clock;
            checkInvariants(state);
          }
          expect(copy === undefined ? undefined : everything(copy)).toEqual(everything(state));
        },
      ),
      { numRuns: 300 },
    );
  });
});

function checkInvariants(state: WorkflowState): void {
  const nodes = new Map(state.nodes().map((node) => [node.nodeId, node]));
  const running = state.list({ status: "Running", limit: 1000 }).runs;
  const epochs = new Set(running.map((run) => run.epoch));
  expect(epochs.size).toBe(running.length);
  const owned = [0, ...nodes.keys()].flatMap((nodeId) => state.ownedBy(nodeId).map((run) => run.runId));
  expect(owned.toSorted()).toEqual(running.map((run) => run.runId).toSorted());
  for (const run of running) {
    if (run.owner === 0) {
      const takers = [...nodes.values()].filter((node) => node.status === "Live" && has(node.types, run));
      expect(takers).toEqual([]);
    } else {
      const owner = nodes.get(run.owner);
      expect(owner?.status).toBe("Live");
      expect(has(owner?.types ?? [], run)).toBe(true);
    }
  }
}

function has(types: readonly { type: string; version: number }[], run: { type: string; version: number }): boolean {
  return types.some((known) => known.type === run.type && known.version === run.version);
}
