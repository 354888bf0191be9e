/** What is done to queues, as commands. */
import type { WorkflowCommand } from "../commands/registry.ts";
import type { QueueLimits } from "../model/runs/run-queue.ts";

/** What is done to a queue. */
export type QueueAction =
  /** Makes it, or gives it these limits. `isDeclared`: code declares it, and no operator (commands/queues/queue-define.ts QD2). */
  | { readonly kind: "define"; readonly limits: QueueLimits; readonly isDeclared: boolean }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  /** Only while it is empty. */
  | { readonly kind: "delete" };

/** Who changes something, and why. Empty for what code declares. */
export interface OperatorRequest {
  readonly by?: string;
  readonly reason?: string;
}

/** The command that does it. */
export function queueCommand(
  name: string,
  action: QueueAction,
  operator: OperatorRequest,
  atMs: number,
): WorkflowCommand {
  const asked = { ...operator, atMs };
  switch (action.kind) {
    case "define":
      return { kind: "QueueDefine", name, limits: action.limits, isDeclared: action.isDeclared, ...asked };
    case "pause":
    case "resume":
      return { kind: "QueuePause", name, isPaused: action.kind === "pause", ...asked };
    case "delete":
      return { kind: "QueueDelete", name, ...asked };
  }
}
