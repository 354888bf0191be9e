/** What a run waits for, as a table of `raftoral show`. */

import type { Consistency } from "../../api/call-options.ts";
import type { PendingCall } from "../../api/runs.ts";
import type { RaftoralClient } from "../../client/raftoral-client.ts";
import { formatTime } from "../durations.ts";
import { failureLine } from "../failure-text.ts";
import { payloadText } from "../payload-text.ts";
import { clip, formatTable } from "../table.ts";

/** Longest that a page waits to hear what a run waits for, in ms: a node without the run's code cannot tell, and a long history takes long. */
const ASK_MS = 3_000;

/** What a run waits for; undefined when the node that was asked cannot tell. */
export async function readPending(
  { workflows }: RaftoralClient,
  runId: string,
  read: { readonly consistency?: Consistency } = {},
): Promise<readonly PendingCall[] | undefined> {
  try {
    return await workflows.pending(runId, { timeoutMs: ASK_MS, ...read });
  } catch {
    return undefined;
  }
}

/** The table, its texts cut to these widths. */
export function pendingTable(
  calls: readonly PendingCall[],
  widths: { readonly path: number; readonly value: number },
): string {
  return formatTable(
    [
      { title: "WAITS FOR" },
      { title: "AT" },
      { title: "UNTIL (UTC)" },
      { title: "FAILED", align: "right" },
      { title: "ERROR" },
      { title: "HEARTBEAT" },
    ],
    calls.map(({ kind, path, untilMs, step }) => {
      const until = step?.nextAttemptAtMs ?? untilMs;
      const heartbeat = step === undefined ? "" : payloadText(step.heartbeat);
      return [
        clip(kind, 20),
        path === "" ? "-" : clip(path, widths.path),
        until === undefined ? "-" : formatTime(until),
        step === undefined ? "-" : String(step.failedAttempts),
        step?.error === undefined ? "-" : clip(failureLine(step.error), widths.value),
        heartbeat === "" ? "-" : clip(heartbeat, widths.value),
      ];
    }),
  );
}
