/** Does to a queue, by way of any implementation of the API, what a request says. */
import type { ReasonOptions } from "../call-options.ts";
import type { QueueChange, Queues } from "./queues.ts";

/** Resolves and rejects as the call of {@link Queues} does that the change is. */
export function changed(queues: Queues, name: string, change: QueueChange, options: ReasonOptions): Promise<void> {
  switch (change.kind) {
    case "define":
      return queues.define(name, change.limits, options);
    case "pause":
      return queues.pause(name, options);
    case "resume":
      return queues.resume(name, options);
    case "delete":
      return queues.delete(name, options);
  }
}
