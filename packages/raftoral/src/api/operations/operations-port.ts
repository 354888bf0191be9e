/** What an implementation of {@link Operations} has to do itself: carry checked requests of one operator to the state. Each call rejects with a RaftoralError. */
import type { CallLimit } from "../call-options.ts";
import type { LockChangeRequest } from "../locks/locks-port.ts";
import type { ForkRequest, MendRequest } from "../mending/mending.ts";
import type { PageRequest } from "../pages.ts";
import type { Payload } from "../payloads/payload.ts";
import type { QueueChange } from "../queues/queues.ts";
import type { SchedulesPort } from "../schedules/schedules-port.ts";
import type { CheckedFilter } from "../workflows-port.ts";
import type { BulkAction, BulkPiece, DeletedRun } from "./operations.ts";

/** A checked request about one run that needs nothing but a reason. */
export interface RunRequest {
  readonly runId: string;
  readonly reason: string;
}

/** A checked new value of a variable. */
export interface SetVariableRequest extends RunRequest {
  readonly variable: string;
  readonly value: Payload;
  /** The same request again is done once. */
  readonly requestId: string;
}

/** A checked request about a type. */
export interface PauseTypeRequest {
  readonly workflowType: string;
  readonly isPaused: boolean;
  readonly reason: string;
}

/** A checked change of a queue. */
export interface QueueRequest {
  readonly name: string;
  readonly change: QueueChange;
  readonly reason: string;
}

/** A checked request for a piece of what is done to many runs. */
export interface BulkRequest {
  readonly filter: CheckedFilter;
  readonly action: BulkAction;
  readonly isDry: boolean;
  readonly page: PageRequest;
  readonly reason: string;
  readonly requestId: string;
}

/** The calls that differ. */
export interface OperationsPort {
  readonly schedules: SchedulesPort;
  cancel(request: RunRequest, limit: CallLimit): Promise<void>;
  resume(request: RunRequest, limit: CallLimit): Promise<void>;
  mend(request: MendRequest, limit: CallLimit): Promise<void>;
  fork(request: ForkRequest, limit: CallLimit): Promise<void>;
  delete(request: RunRequest, limit: CallLimit): Promise<DeletedRun>;
  /** False when the value is not set within `limit.timeoutMs`. */
  setVariable(request: SetVariableRequest, limit: CallLimit): Promise<boolean>;
  changeQueue(request: QueueRequest, limit: CallLimit): Promise<void>;
  pauseType(request: PauseTypeRequest, limit: CallLimit): Promise<void>;
  mendPiece(request: BulkRequest, limit: CallLimit): Promise<BulkPiece>;
  changeLock(request: LockChangeRequest, limit: CallLimit): Promise<void>;
}
