import type { LoggedExecution, RecordCopy, RunCopy } from "@raftoral/e2e/harness";
import { describe, expect, test } from "vitest";
import { STEPS } from "./order-workflow.ts";
import type { Order } from "./orders.ts";
import { type Evidence, type Proof, prove } from "./proof.ts";

const ORDER: Order = { id: "A", customer: "Ada", item: "lamp", quantity: 2, price: 1.5 };
const KILLED = 1;
const HEIR = 2;

/** `reserve` and `charge` were done by the service that was killed, under epoch 1; the rest by its heir, under epoch 5. */
function checkpoints(): RecordCopy[] {
  return STEPS.map((step, i) => ({
    path: `${step}#0`,
    kind: "step",
    value: { value: step, node: i < 2 ? KILLED : HEIR, execution: `x-${step}` },
    recordedAtMs: 1000 + i,
    epoch: i < 2 ? 1 : 5,
    position: String(10 + i),
  }));
}

function run(change: Partial<RunCopy> = {}): RunCopy {
  return {
    runId: "A",
    workflowType: "process_order",
    version: 1,
    status: "completed",
    owner: HEIR,
    epoch: 5,
    takeovers: 1,
    error: undefined,
    startsAtMs: undefined,
    startedAtMs: 1000,
    endedAtMs: 2000,
    recordCount: STEPS.length,
    result: { total: 3, parcel: "P1" },
    history: checkpoints(),
    stuckReason: undefined,
    stuckDetail: undefined,
    pauseReason: undefined,
    cancelReason: undefined,
    pendingSignals: [],
    stepsInProgress: [],
    parent: undefined,
    generation: 1,
    children: [],
    locks: [],
    attributes: {},
    queue: undefined,
    initialAttributes: {},
    seed: "AAECAwQFBgcICQoLDA0ODw==",
    trace: undefined,
    behaviourLevel: 0,
    ...change,
  };
}

function executions(): LoggedExecution[] {
  return STEPS.map((step, i) => ({
    id: `x-${step}`,
    run: "A",
    step,
    node: i < 2 ? KILLED : HEIR,
    epoch: i < 2 ? 1 : 5,
    ended: true,
    acknowledged: true,
  }));
}

function evidence(change: Partial<Evidence> = {}, third: RunCopy = run()): Evidence {
  const records = [run(), run(), third].map((details, i) => ({ nodeId: i + 1, runs: new Map([["A", details]]) }));
  const seen = checkpoints().map(({ path, position }) => ({ run: "A", key: path, position }));
  return { orders: [ORDER], records, executions: executions(), seen, killed: KILLED, ...change };
}

const problems = (proof: Proof): readonly string[] => proof.findings.flatMap((finding) => finding.problems);

describe("the proof", () => {
  test("holds when everything agrees", () => {
    expect(prove(evidence())).toMatchObject({ holds: true, unrecorded: [] });
  });

  test("tells what was in flight at the kill apart from what ran twice", () => {
    const inFlight: LoggedExecution = { ...(executions()[2] as LoggedExecution), id: "y", node: KILLED, epoch: 1 };
    const proof = prove(evidence({ executions: [...executions(), { ...inFlight, ended: false }] }));
    expect(proof.holds).toBe(true);
    expect(proof.unrecorded).toMatchObject([{ id: "y", step: "pack" }]);
  });

  test.each([
    ["after its result was recorded", { node: HEIR, epoch: 5, step: "charge" }],
    ["twice under one ownership", { node: HEIR, epoch: 5, step: "pack" }],
    ["on a service that was never killed", { node: 3, epoch: 1, step: "pack" }],
  ])("fails when a body ran %s", (_, change) => {
    const extra: LoggedExecution = { id: "y", run: "A", ended: true, acknowledged: false, ...change };
    expect(problems(prove(evidence({ executions: [...executions(), extra] })))).toEqual([
      expect.stringContaining(`${change.step} of order A ran again on service ${change.node}`),
    ]);
  });

  test("fails when a record names no execution, or one that never ended", () => {
    const [, ...others] = executions();
    expect(problems(prove(evidence({ executions: others })))).toEqual([expect.stringContaining("no such execution")]);
    const unended = executions().map((execution) => ({ ...execution, ended: execution.step !== "label" }));
    expect(problems(prove(evidence({ executions: unended })))).toEqual([expect.stringContaining("never ended")]);
  });

  test("fails when a step seen on the way is gone or elsewhere", () => {
    const seen = [
      { run: "A", key: "reserve#0", position: "9" },
      { run: "A", key: "wrap#0", position: "12" },
    ];
    const found = problems(prove(evidence({ seen })));
    expect(found).toContain("reserve#0 of order A was recorded at 9 and is at 10 on service 1");
    expect(found).toContain("wrap#0 of order A was recorded at 12 and is gone on service 3");
  });

  test("fails when a service holds another record", () => {
    const altered = checkpoints().map((each) => (each.path === "pack#0" ? { ...each, epoch: 6 } : each));
    expect(problems(prove(evidence({}, run({ history: altered }))))).toEqual([
      expect.stringMatching(/^entry 3 of order A: service 1 has .*pack.*, service 3 /),
    ]);
    const found = problems(prove(evidence({}, run({ history: checkpoints().slice(0, 4) }))));
    expect(found).toContainEqual(expect.stringContaining("entry 5 of order A"));
  });

  test("fails when an order is not completed, or comes to another total", () => {
    const [result, status] = [{ total: 4, parcel: "P1" }, "failed" as const];
    expect(problems(prove(evidence({}, run({ result }))))).toContainEqual(expect.stringContaining("it should be 3"));
    expect(problems(prove(evidence({}, run({ status }))))).toContainEqual(
      expect.stringContaining("is failed on service 3"),
    );
  });
});
