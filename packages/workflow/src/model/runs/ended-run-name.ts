/** Names a run as it ended: a run that was retried ends again, at another place. */
import type { LogIndex } from "@raftoral/raft-core";

/** A run as it ended. */
export interface EndedRunName {
  readonly runId: string;
  readonly startIndex: LogIndex;
  readonly endIndex: LogIndex;
}
