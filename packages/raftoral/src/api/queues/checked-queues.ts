/** The calls of {@link Queues} over a port. */
import { limitArgument, optionsArgument, readLimitArgument, reasonArgument } from "../arguments.ts";
import { abortable, type ReadOptions, type ReasonOptions } from "../call-options.ts";
import type { OperationsPort } from "../operations/operations-port.ts";
import type { WorkflowsPort } from "../workflows-port.ts";
import { queueLimitsArgument, queueNameArgument } from "./queue-arguments.ts";
import type { QueueChange, QueueInfo, QueueLimits, Queues } from "./queues.ts";

/** What {@link CheckedQueues} is made of. */
export interface CheckedQueuesOptions {
  readonly reads: Pick<WorkflowsPort, "queues">;
  /** In whose name queues are changed, the port says. */
  readonly operations: Pick<OperationsPort, "changeQueue">;
  /** For calls that name no time, in milliseconds. */
  readonly timeoutMs: number;
}

/** {@link Queues} over ports. */
export class CheckedQueues implements Queues {
  readonly #reads: CheckedQueuesOptions["reads"];
  readonly #operations: CheckedQueuesOptions["operations"];
  readonly #timeoutMs: number;

  constructor({ reads, operations, timeoutMs }: CheckedQueuesOptions) {
    this.#reads = reads;
    this.#operations = operations;
    this.#timeoutMs = timeoutMs;
  }

  async define(name: string, limits?: QueueLimits, options?: ReasonOptions): Promise<void> {
    const checked = queueLimitsArgument(limits);
    await this.#change("Defining", name, { kind: "define", limits: checked }, options);
  }

  async get(name: string, options?: ReadOptions): Promise<QueueInfo | undefined> {
    const named = queueNameArgument(name);
    const limit = readLimitArgument(options, this.#timeoutMs);
    const [found] = await abortable(limit, `Reading queue ${named}`, () => this.#reads.queues(named, limit));
    return found;
  }

  async list(options?: ReadOptions): Promise<readonly QueueInfo[]> {
    const limit = readLimitArgument(options, this.#timeoutMs);
    return await abortable(limit, "Listing queues", () => this.#reads.queues(undefined, limit));
  }

  async pause(name: string, options?: ReasonOptions): Promise<void> {
    await this.#change("Pausing", name, { kind: "pause" }, options);
  }

  async resume(name: string, options?: ReasonOptions): Promise<void> {
    await this.#change("Resuming", name, { kind: "resume" }, options);
  }

  async delete(name: string, options?: ReasonOptions): Promise<void> {
    await this.#change("Deleting", name, { kind: "delete" }, options);
  }

  async #change(doing: string, name: string, change: QueueChange, options: ReasonOptions | undefined): Promise<void> {
    const named = queueNameArgument(name);
    const reason = reasonArgument(optionsArgument(options).reason, "");
    const limit = limitArgument(options, this.#timeoutMs);
    const request = { name: named, change, reason };
    await abortable(limit, `${doing} queue ${named}`, () => this.#operations.changeQueue(request, limit));
  }
}
