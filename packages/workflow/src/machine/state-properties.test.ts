import { MemoryStateStore } from "@raftoral/raft-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WorkflowCommand } from "../commands/registry.ts";
import type { NodeView, RunSummary } from "../state/runs/run-view.ts";
import { command } from "../testing/arbitraries.ts";
import { restoredFrom } from "../testing/state-log.ts";
import { WorkflowState } from "./workflow-state.ts";

/** Half of the guesses at (owner, epoch) are made right, so that random sequences get somewhere. */
function aimed(state: WorkflowState, given: WorkflowCommand, position: number): WorkflowCommand {
  if (!("runId" in given) || position % 2 === 0) return given;
  const run = state.summary(given.runId);
  if (run === undefined) return given;
  if (given.kind === "OwnerChange") return { ...given, oldOwner: run.owner, epoch: run.epoch };
  return "epoch" in given ? { ...given, owner: run.owner, epoch: run.epoch } : given;
}

function everything(state: WorkflowState): unknown {
  const runs = state.list({ limit: 1000 }).runs.map((run) => state.run(run.runId));
  const snapshot = Buffer.concat([...state.capture(500)]).toString("hex");
  return { runs, nodes: state.nodes(), clock: state.clock, size: state.size, snapshot };
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
            if (position === cut % commands.length) copy = restoredFrom(state, chunkBytes);
            expect(state.clock).toBeGreaterThanOrEqual(clock);
            clock = state.clock;
            checkInvariants(state);
          }
          expect(copy === undefined ? undefined : everything(copy)).toEqual(everything(state));
          for (const one of copy === undefined ? [state] : [state, copy])
            expect([one.checkIndex(), one.checkQueues()]).toMatchObject([
              { missing: 0, surplus: 0, miscounted: [] },
              [],
            ]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("whatever is cached, and whenever the node crashes", () => {
  test("results and state are those of a node that has all in memory and never crashed", () => {
    const step = fc.record({
      command,
      persist: fc.boolean(),
      crash: fc.integer({ min: 0, max: 19 }).map((number) => number === 0),
      commit: fc.integer({ min: 0, max: 2 }).map((number) => number > 0),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), fc.constantFrom(0, 4_096), (steps, cacheBytes) => {
        const state = new WorkflowState();
        const log: { readonly command: WorkflowCommand; readonly result: unknown }[] = [];
        let store = new MemoryStateStore({ isDurable: true });
        let other = new WorkflowState(store, cacheBytes);
        const catchUp = (): void => {
          while (other.appliedIndex < log.length) {
            const index = other.appliedIndex + 1;
            const entry = log[index - 1];
            if (entry !== undefined) expect(other.apply(index, entry.command)).toEqual(entry.result);
          }
        };
        for (const [position, { command: given, persist, crash, commit }] of steps.entries()) {
          const next = aimed(state, given, position);
          log.push({ command: next, result: state.apply(position + 1, next) });
          catchUp();
          if (commit) other.commit();
          if (commit && persist) void store.persist();
          if (!crash) continue;
          store = store.reopen();
          other = new WorkflowState(store, cacheBytes);
          expect(other.appliedIndex).toBe(store.durableIndex);
        }
        catchUp();
        expect(everything(other)).toEqual(everything(state));
      }),
      { numRuns: 200 },
    );
  });
});

function checkInvariants(state: WorkflowState): void {
  const nodes = new Map(state.nodes().map((node) => [node.nodeId, node]));
  const running = state.list({ statuses: ["running"], limit: 1000 }).runs;
  const epochs = new Set(running.map((run) => run.epoch));
  expect(epochs.size).toBe(running.length);
  const nobodys = state.list({ statuses: ["running"], owner: 0, limit: 1000 }).runs.map((run) => run.runId);
  const owned = [...nodes.keys()].flatMap((nodeId) => state.ownedBy(nodeId).map((run) => run.runId));
  expect([...owned, ...nobodys].toSorted()).toEqual(running.map((run) => run.runId).toSorted());
  expect(nobodys.length).toBeGreaterThanOrEqual(state.size.toMove);
  const paused = new Set(state.pausedTypes().map(({ workflowType }) => workflowType));
  for (const run of running) {
    if (run.owner === 0 && run.queue === undefined) {
      if (paused.has(run.workflowType)) continue;
      const takers = [...nodes.values()].filter((node) => node.status === "live" && canTake(node, run));
      // There are fewer runs here than one command moves.
      expect(takers).toEqual([]);
    } else if (run.owner !== 0) {
      const owner = nodes.get(run.owner);
      expect(owner?.status).toBe("live");
      expect(owner !== undefined && canTake(owner, run)).toBe(true);
    }
  }
  expect(state.size.toMove).toBe(0);
}

function canTake({ types, behaviourLevel }: NodeView, run: RunSummary): boolean {
  const has = types.some((known) => known.type === run.workflowType && known.version === run.version);
  return has && behaviourLevel >= run.behaviourLevel;
}
