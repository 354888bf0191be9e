/** Commands for property tests: small ranges, so that they meet each other. */
import fc from "fast-check";
import { CHECKPOINT_KINDS } from "../command/wire-numbers.ts";
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
  fc.record({ status: fc.constant("Completed" as const), result: value }),
  fc.record({
    status: fc.constant("Failed" as const),
    error: fc.record({ name: fc.string(), message: fc.string() }),
  }),
  fc.record({ status: fc.constant("Cancelled" as const), reason: fc.string() }),
);

/** Any command. `owner` and `epoch` are guesses; see the state's properties for how they are made to hit. */
export const command: fc.Arbitrary<WorkflowCommand> = fc.oneof(
  fc.record({
    kind: fc.constant("WorkflowStart" as const),
    runId,
    type,
    version,
    input: value,
    owner,
    at,
    seed: value,
  }),
  fc.record({ kind: fc.constant("WorkflowEnd" as const), runId, outcome, at, owner, epoch }),
  fc.record({
    kind: fc.constant("Checkpoint" as const),
    runId,
    key,
    value,
    at,
    owner,
    epoch,
    record: fc.constantFrom(...CHECKPOINT_KINDS),
  }),
  fc.record({
    kind: fc.constant("OwnerChange" as const),
    runId,
    oldOwner: owner,
    newOwner: nodeId,
    reason: fc.constantFrom("NODE_FAILURE" as const, "LOAD_BALANCING" as const),
    at,
    epoch,
  }),
  fc.record({
    kind: fc.constant("Signal" as const),
    runId,
    name,
    payload: value,
    signalId: fc.constantFrom("", "s1", "s2"),
    at,
  }),
  fc.record({
    kind: fc.constant("SignalReceive" as const),
    runId,
    key,
    name,
    timedOut: fc.boolean(),
    at,
    owner,
    epoch,
  }),
  fc.record({ kind: fc.constant("Cancel" as const), runId, reason: fc.string(), at }),
  fc.record({
    kind: fc.constant("NodeRegister" as const),
    nodeId,
    incarnation,
    types: fc.uniqueArray(fc.record({ type, version: fc.integer({ min: 1, max: 2 }) }), {
      maxLength: 4,
      selector: (entry) => `${entry.type}@${entry.version}`,
    }),
    at,
  }),
  fc.record({ kind: fc.constant("NodeLost" as const), nodeId, incarnation, at, forget: fc.boolean() }),
  fc.record({ kind: fc.constant("NodeDrain" as const), nodeId, incarnation, at }),
  fc.record({
    kind: fc.constant("Prune" as const),
    finishedBefore: at,
    keepAtMost: fc.integer({ min: 0, max: 4 }),
    at,
  }),
);
