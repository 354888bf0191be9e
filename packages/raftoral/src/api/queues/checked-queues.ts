/** The calls of {@link Queues} over a port. */
import { limitArgument, readLimitArgument } from "../arguments.ts";
import { abortable, type CallOptions, type ReadOptions } from "../call-options.ts";
import type { WorkflowsPort } from "../workflows-port.ts";
import { queueLimitsArgument, queueNameArgument } from "./queue-arguments.ts";
import type { QueueChange, QueueInfo, QueueLimits, Queues } from "./queues.ts";

/** {@link Queues} over a {@link WorkflowsPort}. `timeoutMs`: for calls that name no time. */
export class CheckedQueues implements Queues {
  readonly #port: WorkflowsPort;
  readonly #timeoutMs: number;

  constructor(port: WorkflowsPort, timeoutMs: number) {
    this.#port = port;
    this.#timeoutMs = timeoutMs;
  }

  async define(name: string, limits?: QueueLimits, options?: CallOptions): Promise<void> {
    const checked = queueLimitsArgument(limits);
    await this.#change("Defining", name, { kind: "define", limits: checked }, options);
  }

  async get(name: string, options?: ReadOptions): Promise<QueueInfo | undefined> {
    const named = queueNameArgument(name);
    const limit = readLimitArgument(options, this.#timeoutMs);
    const [found] = await abortable(limit, `Reading queue ${named}`, () => this.#port.queues(named, limit));
    return found;
  }

  async list(options?: ReadOptions): Promise<readonly QueueInfo[]> {
    const limit = readLimitArgument(options, this.#timeoutMs);
    return await abortable(limit, "Listing queues", () => this.#port.queues(undefined, limit));
  }

  async pause(name: string, options?: CallOptions): Promise<void> {
    await this.#change("Pausing", name, { kind: "pause" }, options);
  }

  async resume(name: string, options?: CallOptions): Promise<void> {
    await this.#change("Resuming", name, { kind: "resume" }, options);
  }

  async delete(name: string, options?: CallOptions): Promise<void> {
    await this.#change("Deleting", name, { kind: "delete" }, options);
  }

  async #change(doing: string, name: string, change: QueueChange, options: CallOptions | undefined): Promise<void> {
    const named = queueNameArgument(name);
    const limit = limitArgument(options, this.#timeoutMs);
    await abortable(limit, `${doing} queue ${named}`, () => this.#port.changeQueue(named, change, limit));
  }
}
