/** Commands for property tests: small ranges, so that they meet each other. */
import fc from "fast-check";
import { RECORD_KINDS } from "../command/wire-numbers.ts";
import type { RunOutcome, WorkflowCommand } from "../command/workflow-command.ts";

const runId = fc.constantFrom("a", "b", "c", "d");
const type = fc.constantFrom("order", "mail");
const nodeId = fc.integer({ min: 1, max: 3 });
const owner = fc.integer({ min: 0, max: 3 });
const version = fc.integer({ min: 0, max: 2 });
const incarnation = fc.constantFrom("one", "two");
const epoch = fc.integer({ min: 0, max: 12 });
const at = fc.integer({ min: 0, max: 1000 });
const value = fc.uint8Array({ maxLength: 3 });
const key = fc.constantFrom("x#0", "x#1", "y#0");
const name = fc.constantFrom("go", "stop");

const outcome: fc.Arbitrary<RunOutcome> = fc.oneof(
  fc.record({ status: fc.constant("completed" as const), result: value }),
  fc.record({
    status: fc.constant("failed" as const),
    error: fc.record({ name: fc.string(), message: fc.string() }),
  }),
  fc.record({ status: fc.constant("cancelled" as const), reason: fc.string() }),
);

/** Any command. `owner` and `epoch` are guesses; see the state's properties for how they are made to hit. */
export const command: fc.Arbitrary<WorkflowCommand> = fc.oneof(
  fc.record({
    kind: fc.constant("WorkflowStart" as const),
    runId,
    workflowType: type,
    version,
    input: value,
    owner,
    atMs: at,
    seed: value,
  }),
  fc.record({
    kind: fc.constant("WorkflowStart" as const),
    runId,
    workflowType: type,
    version,
    input: value,
    owner,
    atMs: at,
    seed: value,
    inputDigest: fc.uint8Array({ minLength: 1, maxLength: 2 }),
    isPinned: fc.constant(true),
  }),
  fc.record({ kind: fc.constant("WorkflowEnd" as const), runId, outcome, atMs: at, owner, epoch }),
  fc.record({
    kind: fc.constant("Checkpoint" as const),
    runId,
    path: key,
    value,
    atMs: at,
    owner,
    epoch,
    recordKind: fc.constantFrom(...RECORD_KINDS),
  }),
  fc.record({
    kind: fc.constant("OwnerChange" as const),
    runId,
    oldOwner: owner,
    newOwner: nodeId,
    reason: fc.constantFrom("node-failure" as const, "load-balancing" as const),
    atMs: at,
    epoch,
  }),
  fc.record({
    kind: fc.constant("Signal" as const),
    runId,
    name,
    payload: value,
    signalId: fc.constantFrom("", "s1", "s2"),
    atMs: at,
  }),
  fc.record({
    kind: fc.constant("SignalReceive" as const),
    runId,
    path: key,
    name,
    timedOut: fc.boolean(),
    atMs: at,
    owner,
    epoch,
  }),
  fc.record({ kind: fc.constant("Cancel" as const), runId, reason: fc.string(), atMs: at }),
  fc.record({
    kind: fc.constant("NodeRegister" as const),
    nodeId,
    incarnation,
    types: fc.uniqueArray(fc.record({ type, version: fc.integer({ min: 1, max: 2 }) }), {
      maxLength: 4,
      selector: (entry) => `${entry.type}@${entry.version}`,
    }),
    atMs: at,
  }),
  fc.record({ kind: fc.constant("NodeLost" as const), nodeId, incarnation, atMs: at, forget: fc.boolean() }),
  fc.record({ kind: fc.constant("NodeDrain" as const), nodeId, incarnation, atMs: at }),
  fc.record({
    kind: fc.constant("Prune" as const),
    finishedBeforeMs: at,
    keepAtMost: fc.integer({ min: 0, max: 4 }),
    atMs: at,
  }),
);
