/** In whose name a run's record is written, and what is left of earlier owners. */
import type { NodeId } from "@raftoral/raft-core";
import type { HistoryRecord } from "../../model/record.ts";
import type { Epoch } from "../../model/runs/ownership.ts";
import type { KnownProgress } from "../../model/step-progress.ts";
import type { UpdateVerdict } from "../../model/update.ts";
import type { OwnedStream } from "../../state/streams/stream-view.ts";

/** The ownership in whose name everything is recorded. */
export interface Ownership {
  readonly runId: string;
  readonly owner: NodeId;
  readonly epoch: Epoch;
  /** Whether this node has the run still, as far as it knows. */
  readonly holds: () => boolean;
  /** This node has learned that it has not. */
  readonly onLost: () => void;
  /** The log refuses what the body was answered with already. */
  readonly onRefused: (error: unknown) => void;
  /** A committed record as the body takes it: decoded, or never where this node cannot. */
  readonly readable: (path: string, record: HistoryRecord) => HistoryRecord | Promise<HistoryRecord>;
}

/** What earlier owners have left of a run. */
export interface LeftBehind {
  readonly history: Iterable<readonly [string, HistoryRecord]>;
  readonly progress: readonly KnownProgress[];
  readonly streams: readonly OwnedStream[];
}

/** An update that is accepted: its id, and the record of its acceptance. */
export interface UpdateAcceptance {
  readonly id: string;
  readonly path: string;
  readonly value: Uint8Array;
}

/** An update that is over. */
export interface UpdateConclusion {
  readonly id: string;
  readonly verdict: Exclude<UpdateVerdict, "accepted">;
  readonly value: Uint8Array;
}
