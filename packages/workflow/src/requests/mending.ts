/** What an operator does to one run, as a command. */
import type { WorkflowCommand } from "../commands/registry.ts";

/** What is done to a run. */
export type MendAction =
  /** Ends it now, as failed, without its body. */
  | { readonly kind: "terminate" }
  /** Takes it off its owner until it is resumed. `isNow`: steps under way are aborted. */
  | { readonly kind: "pause"; readonly isNow: boolean }
  /** Lets it go on that failed or was cancelled. `from`: path of the first record that does not count any more; by default the one of the failure that ended it. */
  | { readonly kind: "retry"; readonly from: string | undefined }
  /** Answers a step in the place of its function. `value`: JSON as UTF-8; empty stands for undefined. */
  | { readonly kind: "complete-step"; readonly path: string; readonly value: Uint8Array };

/** A request of an operator about one run. */
export interface RunMend {
  readonly runId: string;
  readonly action: MendAction;
  /** Why. */
  readonly reason: string;
  /** The same request again is done once. */
  readonly requestId: string;
  /** Who asks for it. */
  readonly by: string;
}

/** A request for a fork of a run. */
export interface RunFork {
  /** Of the new run. */
  readonly runId: string;
  /** Id of the run whose record the new one begins with. */
  readonly source: string;
  /** Path of the first record that the fork has not; by default the one of the failure that ended the run, or none. */
  readonly from: string | undefined;
  /** JSON as UTF-8 in the place of the other run's input; undefined: that one's. */
  readonly input: Uint8Array | undefined;
  readonly reason: string;
  /** The same request again is done once. */
  readonly requestId: string;
  /** Who asks for it. */
  readonly by: string;
}

/** What else operators ask for one run, in whose name, and why. */
export interface RunOperation {
  readonly runId: string;
  readonly reason: string;
  /** Who asks for it; empty when that is not said. */
  readonly by: string;
}

/** The command of a request. `from`: where a retry goes back to; empty for nowhere. */
export function mendCommand(
  { runId, action, reason, requestId, by }: RunMend,
  from: string,
  atMs: number,
): WorkflowCommand {
  switch (action.kind) {
    case "terminate":
      return { kind: "Terminate", runId, reason, requestId, atMs, by };
    case "pause":
      return { kind: "Pause", runId, reason, isNow: action.isNow, atMs, owner: 0, epoch: 0, by };
    case "retry":
      return { kind: "Retry", runId, from, reason, requestId, atMs, by };
    case "complete-step":
      return { kind: "Edit", runId, path: action.path, value: action.value, reason, atMs, by };
  }
}
