/** What applying a command gives back: to the proposer, and alike on every node. Structured-cloneable. */
import type { LogIndex, NodeId } from "@raftoral/raft-core";
import type { RefusalCode } from "../errors.ts";
import type { Epoch, RecordKind } from "./workflow-command.ts";

/** A checkpoint as the state keeps it. Never changed once recorded. */
export interface HistoryRecord {
  readonly kind: RecordKind;
  readonly value: Uint8Array;
  /** The log clock when it was applied, in ms since the epoch. */
  readonly recordedAtMs: number;
  /** Its place in the log. */
  readonly index: LogIndex;
  /** Under which ownership it was recorded. */
  readonly epoch: Epoch;
}

/** The command was refused and changed nothing (but the log clock). */
export interface Refused {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The run exists now. `created` is false when another start had made it. `owner` is 0 while no live node can execute it. */
export interface Started {
  readonly ok: true;
  readonly kind: "Started";
  readonly runId: string;
  readonly version: number;
  readonly created: boolean;
  readonly owner: NodeId;
  readonly epoch: Epoch;
}

/** The path has this checkpoint now. `recorded` is false when an earlier one stands. */
export interface Recorded {
  readonly ok: true;
  readonly kind: "Recorded";
  readonly recorded: boolean;
  readonly record: HistoryRecord;
}

/** Runs changed hands. */
export interface Moved {
  readonly ok: true;
  readonly kind: "Moved";
  readonly moved: number;
  /** Of these, runs that nobody can take at present. */
  readonly orphaned: number;
}

/** Done, and nothing more to say. `changed` is false when it had been done before. */
export interface Done {
  readonly ok: true;
  readonly kind: "Done";
  readonly changed: boolean;
}

export interface Pruned {
  readonly ok: true;
  readonly kind: "Pruned";
  readonly pruned: number;
  /** Whether as much again is due: a command drops a bounded number of runs. */
  readonly more: boolean;
}

export type CommandResult = Refused | Started | Recorded | Moved | Done | Pruned;
