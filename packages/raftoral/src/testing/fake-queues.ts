/** Queues of a fake node: what was done to them, and nothing that waits in them. */
import type { RunQueue } from "@raftoral/workflow";
import type { CallLimit } from "../api/call-options.ts";
import type { QueueRequest } from "../api/operations/operations-port.ts";
import type { QueueInfo } from "../api/queues/queues.ts";
import type { WorkflowsPort } from "../api/workflows-port.ts";

/** The queues of one fake node. */
export class FakeQueues {
  /** By name. A test may put others there. */
  readonly all = new Map<string, QueueInfo>();

  /** The queues of starts, in order. */
  readonly started: RunQueue[] = [];

  /** Why they were changed, in order. */
  readonly reasons: string[] = [];

  /** A run is started, perhaps in a queue. */
  begun(queue: RunQueue | undefined): void {
    if (queue !== undefined) this.started.push(queue);
  }

  /** The calls of a port. `enter`: what every call does first. */
  port(enter: (name: string, limit: CallLimit) => Promise<void>): Pick<WorkflowsPort, "queues"> {
    return {
      queues: async (name, limit) => {
        await enter("queues", limit);
        return this.of(name);
      },
    };
  }

  /** All of them, or the one of this name. */
  of(name: string | undefined): readonly QueueInfo[] {
    return [...this.all.values()].filter((queue) => name === undefined || queue.name === name);
  }

  change({ name, change, reason }: QueueRequest): void {
    this.reasons.push(reason);
    const known = this.all.get(name) ?? fakeQueue(name);
    if (change.kind === "delete") this.all.delete(name);
    else if (change.kind === "define") this.all.set(name, { ...known, limits: change.limits });
    else this.all.set(name, { ...known, isPaused: change.kind === "pause" });
  }
}

/** A queue with every field set. */
export function fakeQueue(name: string, fields: Partial<QueueInfo> = {}): QueueInfo {
  const counts = { waiting: 0, delayed: 0, running: 0, admitted: 0 };
  const state = { limits: {}, isPaused: false, oldestAtMs: undefined, closedBy: undefined, nodes: [] };
  return { name, ...counts, ...state, ...fields };
}
