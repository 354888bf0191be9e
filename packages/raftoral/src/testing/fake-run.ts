/** Runs of a node that answers from memory. */
import type { RecordedFailure, RunDescription } from "../api/runs.ts";

/** A record of a {@link FakeRun}. */
export interface FakeRecord {
  readonly path: string;
  readonly kind: string;
  readonly value: unknown;
  readonly recordedAtMs: number;
  readonly epoch: number;
  readonly position: string;
}

/** A run of a node that answers from memory, with values where the API has payloads. */
export interface FakeRun extends RunDescription {
  readonly input: unknown;
  readonly result: unknown;
  readonly history: readonly FakeRecord[];
}

/** A recorded error. */
export function failed(name: string, message: string, fields: Partial<RecordedFailure> = {}): RecordedFailure {
  return { name, message, ...fields };
}

/** A run with every field set. */
export function run(runId: string, fields: Partial<FakeRun> = {}): FakeRun {
  return {
    runId,
    workflowType: "process_order",
    version: 1,
    status: "running",
    owner: 1,
    epoch: 7,
    takeovers: 0,
    input: undefined,
    result: undefined,
    error: undefined,
    pauseReason: undefined,
    cancelReason: undefined,
    stuckReason: undefined,
    stuckDetail: undefined,
    startedAtMs: 1_700_000_000_000,
    startsAtMs: undefined,
    endedAtMs: undefined,
    recordCount: 0,
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
    history: [],
    ...fields,
  };
}
