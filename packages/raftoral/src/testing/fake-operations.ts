/** What operators do to the runs of a node that answers from memory. */

import { WorkflowError } from "@raftoral/workflow";
import type { CallLimit } from "../api/call-options.ts";
import type { LockChangeRequest } from "../api/locks/locks-port.ts";
import type { ForkRequest, MendRequest } from "../api/mending/mending.ts";
import type { AuditEntry, BulkPiece, DeletedRun, PausedType } from "../api/operations/operations.ts";
import type {
  BulkRequest,
  OperationsPort,
  PauseTypeRequest,
  QueueRequest,
  RunRequest,
  SetVariableRequest,
} from "../api/operations/operations-port.ts";
import type { FakeLocks } from "./fake-locks.ts";
import type { FakeQueues } from "./fake-queues.ts";
import type { FakeRun } from "./fake-run.ts";
import type { FakeSchedules } from "./fake-schedules.ts";

/** What operators act on. */
interface FakeWorld {
  readonly runs: Map<string, FakeRun>;
  readonly schedules: FakeSchedules;
  readonly queues: FakeQueues;
  readonly locks: FakeLocks;
  /** What every call does first. */
  readonly enter: (name: string, limit: CallLimit) => Promise<void>;
}

/** What happened is in its fields; what is to be answered, tests set there. */
export class FakeOperations implements OperationsPort {
  /** What was done to runs: the run, the action, and why. */
  readonly mends: (readonly [runId: string, action: object, reason: string])[] = [];
  pausedTypes: readonly PausedType[] = [];
  entries: readonly AuditEntry[] = [];
  /** Pieces of what is done to many runs, and how they were asked for. */
  readonly bulks: BulkRequest[] = [];
  pieces: readonly BulkPiece[] = [];
  readonly schedules: FakeSchedules;
  readonly #queues: FakeQueues;
  readonly #runs: Map<string, FakeRun>;
  readonly #locks: FakeLocks;
  readonly #enter: (name: string, limit: CallLimit) => Promise<void>;

  constructor({ runs, schedules, queues, locks, enter }: FakeWorld) {
    this.#runs = runs;
    this.schedules = schedules;
    this.#queues = queues;
    this.#locks = locks;
    this.#enter = enter;
  }

  async changeLock({ name, change }: LockChangeRequest, limit: CallLimit): Promise<void> {
    await this.#enter("changeLock", limit);
    this.#locks.change(name, change);
  }

  async cancel({ runId, reason }: RunRequest, limit: CallLimit): Promise<void> {
    await this.#enter("cancel", limit);
    this.#runs.set(runId, { ...this.#present(runId), status: "cancelled", cancelReason: reason, endedAtMs: 1 });
  }

  async resume({ runId }: RunRequest, limit: CallLimit): Promise<void> {
    await this.#enter("resume", limit);
    const stuck = this.#present(runId);
    if (stuck.status === "stuck") this.#runs.set(runId, { ...stuck, status: "running", stuckReason: undefined });
  }

  async mend({ runId, action, reason }: MendRequest, limit: CallLimit): Promise<void> {
    await this.#enter("mend", limit);
    const found = this.#present(runId);
    const value = action.kind === "complete-step" ? { value: action.value.value() } : {};
    this.mends.push([runId, { ...action, ...value }, reason]);
    if (action.kind === "pause") this.#runs.set(runId, { ...found, status: "paused", pauseReason: reason });
  }

  async fork({ source, runId, from, input, reason }: ForkRequest, limit: CallLimit): Promise<void> {
    await this.#enter("fork", limit);
    this.#runs.set(runId, { ...this.#present(source), runId });
    this.mends.push([source, { kind: "fork", runId, from, input: input?.value() }, reason]);
  }

  async delete({ runId }: RunRequest, limit: CallLimit): Promise<DeletedRun> {
    await this.#enter("delete", limit);
    return { runId, deleted: this.#runs.delete(runId), position: 77 };
  }

  async setVariable({ runId, variable, value, reason }: SetVariableRequest, limit: CallLimit): Promise<boolean> {
    await this.#enter("setVariable", limit);
    this.#present(runId);
    this.mends.push([runId, { kind: "set-variable", variable, value: value.value() }, reason]);
    return true;
  }

  async changeQueue(request: QueueRequest, limit: CallLimit): Promise<void> {
    await this.#enter("changeQueue", limit);
    this.#queues.change(request);
  }

  async pauseType({ workflowType, isPaused, reason }: PauseTypeRequest, limit: CallLimit): Promise<void> {
    await this.#enter("pauseType", limit);
    const others = this.pausedTypes.filter((type) => type.workflowType !== workflowType);
    this.pausedTypes = isPaused ? [...others, { workflowType, reason, by: "ada", pausedAtMs: 1 }] : others;
  }

  async mendPiece(request: BulkRequest, limit: CallLimit): Promise<BulkPiece> {
    await this.#enter("mendPiece", limit);
    this.bulks.push(request);
    return this.pieces[Number(request.page.pageToken ?? 0)] ?? { runs: [], position: undefined };
  }

  #present(runId: string): FakeRun {
    const found = this.#runs.get(runId);
    if (found !== undefined) return found;
    throw new WorkflowError("WORKFLOW_NOT_FOUND", `There is no run ${runId}.`, { details: { runId } });
  }
}
