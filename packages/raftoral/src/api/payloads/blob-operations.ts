/** What operators give, and the inputs of schedules, on a node whose large values are blobs (blob-workflows.ts BW1). */
import type { CallLimit } from "../call-options.ts";
import type { LockChangeRequest } from "../locks/locks-port.ts";
import type { ForkRequest, MendRequest } from "../mending/mending.ts";
import type { BulkPiece, DeletedRun } from "../operations/operations.ts";
import type {
  BulkRequest,
  OperationsPort,
  PauseTypeRequest,
  QueueRequest,
  RunRequest,
  SetVariableRequest,
} from "../operations/operations-port.ts";
import type { CreateScheduleRequest, SchedulesPort, UpdateScheduleRequest } from "../schedules/schedules-port.ts";
import type { BlobValues } from "./blob-values.ts";

/** {@link OperationsPort} that keeps large values before they are proposed. */
export class BlobOperations implements OperationsPort {
  readonly schedules: SchedulesPort;
  readonly #port: OperationsPort;
  readonly #values: BlobValues;

  constructor(port: OperationsPort, values: BlobValues) {
    this.#port = port;
    this.#values = values;
    this.schedules = blobSchedules(port.schedules, values);
  }

  cancel(request: RunRequest, limit: CallLimit): Promise<void> {
    return this.#port.cancel(request, limit);
  }

  resume(request: RunRequest, limit: CallLimit): Promise<void> {
    return this.#port.resume(request, limit);
  }

  async mend(request: MendRequest, limit: CallLimit): Promise<void> {
    const { action } = request;
    if (action.kind !== "complete-step") return this.#port.mend(request, limit);
    const value = await this.#values.kept(action.value);
    return this.#port.mend({ ...request, action: { ...action, value } }, limit);
  }

  async fork(request: ForkRequest, limit: CallLimit): Promise<void> {
    const input = request.input === undefined ? undefined : await this.#values.kept(request.input);
    await this.#port.fork({ ...request, input }, limit);
  }

  delete(request: RunRequest, limit: CallLimit): Promise<DeletedRun> {
    return this.#port.delete(request, limit);
  }

  async setVariable(request: SetVariableRequest, limit: CallLimit): Promise<boolean> {
    return this.#port.setVariable({ ...request, value: await this.#values.kept(request.value) }, limit);
  }

  changeQueue(request: QueueRequest, limit: CallLimit): Promise<void> {
    return this.#port.changeQueue(request, limit);
  }

  changeLock(request: LockChangeRequest, limit: CallLimit): Promise<void> {
    return this.#port.changeLock(request, limit);
  }

  pauseType(request: PauseTypeRequest, limit: CallLimit): Promise<void> {
    return this.#port.pauseType(request, limit);
  }

  mendPiece(request: BulkRequest, limit: CallLimit): Promise<BulkPiece> {
    return this.#port.mendPiece(request, limit);
  }
}

/** A port like `port` that keeps large inputs of schedules before they are proposed. */
export function blobSchedules(port: SchedulesPort, values: BlobValues): SchedulesPort {
  async function kept<Request extends CreateScheduleRequest | UpdateScheduleRequest>(request: Request) {
    return request.input === undefined ? request : { ...request, input: await values.kept(request.input) };
  }
  return {
    create: async (request, limit) => port.create(await kept(request), limit),
    update: async (request, limit) => port.update(await kept(request), limit),
    pause: (request, limit) => port.pause(request, limit),
    resume: (request, limit) => port.resume(request, limit),
    trigger: (request, limit) => port.trigger(request, limit),
    backfill: (request, limit) => port.backfill(request, limit),
    delete: (request, limit) => port.delete(request, limit),
    get: (scheduleId, upcoming, limit) => port.get(scheduleId, upcoming, limit),
    list: (page, limit) => port.list(page, limit),
  };
}
