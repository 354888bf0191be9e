/** Asks children to cancel, on behalf of one body: some at a time, for a branch may wait for thousands. */
import type { Clock } from "@raftoral/raft-core";
import { outsideBodies } from "../body/body-place.ts";
import { Places } from "../calls/steps/places.ts";
import type { Proposer } from "../engine/retrying-proposer.ts";

/** Requests of one body that are under way at once. */
const REQUESTS_AT_ONCE = 64;

/** What asks. */
export interface ChildCancelsSetting {
  readonly clock: Clock;
  readonly proposer: Proposer;
  /** Whether this node has the parent still. When it has not, the next owner asks, or the parent's end is told to the child. */
  readonly goOn: () => boolean;
}

/** Gives the function that asks a child, without waiting for the answer: one that has ended or is gone is left alone. */
export function childCancels({ clock, proposer, goOn }: ChildCancelsSetting): (runId: string, reason: string) => void {
  const places = new Places(REQUESTS_AT_ONCE, undefined);
  const ask = async (runId: string, reason: string): Promise<void> => {
    await places.take(() => () => {});
    try {
      if (goOn()) await proposer.propose({ kind: "Cancel", runId, reason, atMs: clock.wallMs() }, { goOn });
    } finally {
      places.release();
    }
  };
  return (runId, reason) => void outsideBodies(() => ask(runId, reason)).catch(() => {});
}
