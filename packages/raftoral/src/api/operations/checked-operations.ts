/**
 * What all implementations of {@link Operations} share: arguments are checked and pieces become lists. What differs is behind {@link OperationsPort}.
 *
 * CO1. A request has its id from here, so that one that is sent again after a lost answer is the same.
 */
import type { VariableDefinition } from "@raftoral/workflow";
import {
  invalid,
  limitArgument,
  optionsArgument,
  pageArgument,
  readLimitArgument,
  reasonArgument,
  runIdArgument,
  textProblem,
  variableNameArgument,
} from "../arguments.ts";
import { abortable, type CallLimit, type CallOptions, type ReadOptions, setGoesOn } from "../call-options.ts";
import type { RunFilter } from "../finding/filters.ts";
import { filterArgument } from "../finding/run-filter.ts";
import type { CancelOptions, ForkOptions, MendAction, MendOptions } from "../mending/mending.ts";
import { forkRequest, mendRequest } from "../mending/mending-arguments.ts";
import type { PageOptions } from "../pages.ts";
import { Payload } from "../payloads/payload.ts";
import type { WorkflowsPort } from "../workflows-port.ts";
import type {
  AuditEntry,
  AuditOptions,
  AuditPage,
  BulkAction,
  BulkOptions,
  BulkPiece,
  DeletedRun,
  PausedType,
} from "./operations.ts";
import type { OperationsPort } from "./operations-port.ts";

/** What a cancellation says when its caller gives no reason. */
const DEFAULT_REASON = "cancelled on request";
const ACTIONS: readonly BulkAction[] = ["cancel", "terminate", "retry", "pause", "resume", "delete"];
/** Runs that a command changes at most, and that a dry run gives at once. */
const MAX_PIECE = 32;
const MAX_DRY_PIECE = 1000;
const MAX_SUBJECT_LENGTH = 1000;
const MAX_PAUSED_TYPE_LENGTH = 200;

/** What {@link CheckedOperations} is made of. */
export interface CheckedOperationsOptions {
  readonly port: OperationsPort;
  readonly reads: Pick<WorkflowsPort, "pausedTypes" | "audit">;
  /** For calls that name no time, in milliseconds. */
  readonly timeoutMs: number;
  /** A fresh UUID: ids of requests and forks for which the caller chose none. */
  readonly uuid: () => string;
}

/** Operations over an {@link OperationsPort} (CO1). */
export class CheckedOperations {
  readonly #options: CheckedOperationsOptions;

  constructor(options: CheckedOperationsOptions) {
    this.#options = options;
  }

  async cancel(runId: string, options: CancelOptions | undefined): Promise<void> {
    const id = runIdArgument(runId);
    const reason = reasonArgument(optionsArgument(options).reason, DEFAULT_REASON);
    await this.#call(options, `Cancelling run ${id}`, (port, limit) => port.cancel({ runId: id, reason }, limit));
  }

  async resume(runId: string, options: MendOptions | undefined): Promise<void> {
    const { runId: id, reason } = this.#request(runId, options);
    await this.#call(options, `Resuming run ${id}`, (port, limit) => port.resume({ runId: id, reason }, limit));
  }

  /** Does `action` to a run. `doing` begins the message of an aborted call: "Pausing". */
  async mend(doing: string, runId: string, options: MendOptions | undefined, action: () => MendAction): Promise<void> {
    const request = mendRequest(runId, options, action, this.#options.uuid);
    await this.#call(options, `${doing} run ${request.runId}`, (port, limit) => port.mend(request, limit));
  }

  /** Forks a run, and gives the id of the new one. */
  async fork(source: string, options: ForkOptions | undefined): Promise<string> {
    const request = forkRequest(source, options, this.#options.uuid);
    await this.#call(options, `Forking run ${request.source}`, (port, limit) => port.fork(request, limit));
    return request.runId;
  }

  delete(runId: string, options: MendOptions | undefined): Promise<DeletedRun> {
    const { runId: id, reason } = this.#request(runId, options);
    return this.#call(options, `Deleting run ${id}`, (port, limit) => port.delete({ runId: id, reason }, limit));
  }

  async setVariable(
    runId: string,
    variable: VariableDefinition | string,
    given: unknown,
    options: MendOptions | undefined,
  ): Promise<void> {
    const { runId: id, reason, requestId } = this.#request(runId, options);
    const name = variableNameArgument(variable, undefined);
    const value = Payload.of(given, `variable ${name}`);
    const limit = limitArgument(options, Number.POSITIVE_INFINITY);
    const request = { runId: id, reason, requestId, variable: name, value };
    const isSet = await abortable(limit, `Setting variable ${name} of run ${id}`, () =>
      this.#options.port.setVariable(request, limit),
    );
    if (!isSet) throw setGoesOn(id, name, limit);
  }

  async pauseType(workflowType: string, isPaused: boolean, options: MendOptions | undefined): Promise<void> {
    const problem = textProblem(workflowType, MAX_PAUSED_TYPE_LENGTH);
    if (problem !== undefined)
      throw invalid("workflowType", workflowType, `a workflow type, text of 1 to ${MAX_PAUSED_TYPE_LENGTH} characters`);
    const { reason } = mendRequest("any", options, () => ({ kind: "terminate" }), this.#options.uuid);
    const what = `${isPaused ? "Pausing" : "Resuming"} type ${workflowType}`;
    await this.#call(options, what, (port, limit) => port.pauseType({ workflowType, isPaused, reason }, limit));
  }

  async pausedTypes(options: ReadOptions | undefined): Promise<readonly PausedType[]> {
    const limit = readLimitArgument(options, this.#options.timeoutMs);
    return await abortable(limit, "Reading paused types", () => this.#options.reads.pausedTypes(limit));
  }

  async *mendAll(
    filter: RunFilter,
    action: BulkAction,
    options: BulkOptions | undefined,
  ): AsyncGenerator<BulkPiece, void, undefined> {
    const { dryRun = false, position, pieceSize } = optionsArgument(options);
    if (!ACTIONS.includes(action)) throw invalid("action", action, `one of ${ACTIONS.join(", ")}`);
    if (typeof dryRun !== "boolean") throw invalid("dryRun", dryRun, "true or false");
    const most = dryRun ? MAX_DRY_PIECE : MAX_PIECE;
    if (pieceSize !== undefined && !(Number.isSafeInteger(pieceSize) && pieceSize >= 1 && pieceSize <= most))
      throw invalid("pieceSize", pieceSize, `a whole number from 1 to ${most}, or left out`);
    const { reason, requestId } = mendRequest("any", options, () => ({ kind: "terminate" }), this.#options.uuid);
    // By creation, whatever the filter asks for: what is done to a run does not change its place.
    const checked = { ...filterArgument(filter), sort: "created", isAscending: false } as const;
    const request = { filter: checked, action, isDry: dryRun, reason, requestId };
    let next = pageArgument(position === undefined ? {} : { pageToken: position }).pageToken;
    do {
      const page = { pageSize: pieceSize ?? most, pageToken: next };
      const piece = await this.#call(options, `Doing ${action} to runs`, (port, limit) =>
        port.mendPiece({ ...request, page }, limit),
      );
      yield piece;
      next = piece.position;
    } while (next !== undefined);
  }

  async *audit(options: AuditOptions | undefined): AsyncGenerator<AuditEntry, void, undefined> {
    let pageToken: string | undefined;
    do {
      const page: AuditPage = await this.auditPage({ ...options, ...(pageToken === undefined ? {} : { pageToken }) });
      yield* page.entries;
      pageToken = page.nextPageToken;
    } while (pageToken !== undefined);
  }

  async auditPage(options: (AuditOptions & PageOptions) | undefined): Promise<AuditPage> {
    const { subject, by } = optionsArgument(options);
    for (const [name, text] of Object.entries({ subject, by })) {
      if (text !== undefined && textProblem(text, MAX_SUBJECT_LENGTH) !== undefined)
        throw invalid(name, text, `text of 1 to ${MAX_SUBJECT_LENGTH} characters, or left out`);
    }
    const page = pageArgument(options);
    const limit = readLimitArgument(options, this.#options.timeoutMs);
    return await abortable(limit, "Reading the audit", () => this.#options.reads.audit({ subject, by }, page, limit));
  }

  #request(runId: string, options: MendOptions | undefined) {
    return mendRequest(runId, options, () => ({ kind: "terminate" }), this.#options.uuid);
  }

  async #call<T>(
    options: CallOptions | undefined,
    what: string,
    run: (port: OperationsPort, limit: CallLimit) => Promise<T>,
  ): Promise<T> {
    const { port, timeoutMs } = this.#options;
    const limit = limitArgument(options, timeoutMs);
    return await abortable(limit, what, () => run(port, limit));
  }
}
