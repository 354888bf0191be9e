/** Does to a run, by way of any implementation of the API, what a request says. */

import type { Workflows } from "../workflows.ts";
import type { MendAction, MendOptions } from "./mending.ts";

/** Resolves and rejects as the call of {@link Workflows} does that the action is. */
export function mended(workflows: Workflows, runId: string, action: MendAction, options: MendOptions): Promise<void> {
  switch (action.kind) {
    case "terminate":
      return workflows.terminate(runId, options);
    case "pause":
      return workflows.pause(runId, { ...options, now: action.isNow });
    case "retry":
      return workflows.retry(runId, { ...options, ...(action.from === undefined ? {} : { from: action.from }) });
    case "complete-step":
      return workflows.completeStep(runId, action.path, action.value, options);
  }
}
