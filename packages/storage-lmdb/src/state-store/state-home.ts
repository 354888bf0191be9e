/** What a state store needs of the environment that it is in; `lmdb-environment.ts` is one. */
import type { Cancel } from "@raftoral/raft-core";
import type { Database } from "lmdb";
import type { CheckpointParticipant } from "../commit/checkpoint.ts";

/** An open environment, as its state stores see it. */
export interface StateHome {
  /** The data file, for errors. */
  readonly file: string;
  readonly records: Database<Buffer, Buffer>;
  /** From now on checkpoints write what `participant` has. Returns what ends it. */
  addCheckpointParticipant(participant: CheckpointParticipant): Cancel;
  /** Resolves when everything that the participants had is durable. Rejects when the environment has failed. */
  checkpoint(): Promise<void>;
}
