/** {@link OperationsPort} through payload codecs: the values that operators give are encoded on their way down. */
import type { PayloadCoder, PayloadKind } from "@raftoral/workflow";
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
import type { SchedulesPort } from "../schedules/schedules-port.ts";
import { codedSchedules } from "./coded-schedules.ts";
import { Payload } from "./payload.ts";

/** A port that encodes. A value that cannot be encoded fails its call, and nothing is sent. */
export class CodedOperations implements OperationsPort {
  readonly schedules: SchedulesPort;
  readonly #port: OperationsPort;
  readonly #coder: PayloadCoder;

  /** The port itself without codecs. */
  static over(port: OperationsPort, coder: PayloadCoder): OperationsPort {
    return coder.isPlain ? port : new CodedOperations(port, coder);
  }

  private constructor(port: OperationsPort, coder: PayloadCoder) {
    this.#port = port;
    this.#coder = coder;
    this.schedules = codedSchedules(port.schedules, coder);
  }

  cancel(request: RunRequest, limit: CallLimit): Promise<void> {
    return this.#port.cancel(request, limit);
  }

  resume(request: RunRequest, limit: CallLimit): Promise<void> {
    return this.#port.resume(request, limit);
  }

  async mend(request: MendRequest, limit: CallLimit): Promise<void> {
    const { action, runId } = request;
    if (action.kind !== "complete-step") return this.#port.mend(request, limit);
    const value = await this.#encoded(action.value, "step", runId);
    return this.#port.mend({ ...request, action: { ...action, value } }, limit);
  }

  async fork(request: ForkRequest, limit: CallLimit): Promise<void> {
    const { input, runId } = request;
    const encoded = input === undefined ? undefined : await this.#encoded(input, "input", runId);
    await this.#port.fork({ ...request, input: encoded }, limit);
  }

  delete(request: RunRequest, limit: CallLimit): Promise<DeletedRun> {
    return this.#port.delete(request, limit);
  }

  async setVariable(request: SetVariableRequest, limit: CallLimit): Promise<boolean> {
    const value = await this.#encoded(request.value, "update", request.runId);
    return this.#port.setVariable({ ...request, value }, limit);
  }

  changeQueue(request: QueueRequest, limit: CallLimit): Promise<void> {
    return this.#port.changeQueue(request, limit);
  }

  pauseType(request: PauseTypeRequest, limit: CallLimit): Promise<void> {
    return this.#port.pauseType(request, limit);
  }

  changeLock(request: LockChangeRequest, limit: CallLimit): Promise<void> {
    return this.#port.changeLock(request, limit);
  }

  mendPiece(request: BulkRequest, limit: CallLimit): Promise<BulkPiece> {
    return this.#port.mendPiece(request, limit);
  }

  async #encoded({ bytes, what }: Payload, kind: PayloadKind, runId: string): Promise<Payload> {
    return Payload.ofBytes(await this.#coder.encode(bytes, { kind, runId, what, isCompared: true }), what);
  }
}
