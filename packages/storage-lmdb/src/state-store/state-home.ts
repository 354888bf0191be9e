/** What a state store needs of the environment that it is in; `lmdb-environment.ts` is one. */
import type { Cancel } from "@raftoral/raft-core";
import type { CheckpointParticipant } from "../commit/checkpoint.ts";

/** An open environment, as its state stores see it. */
export interface StateHome {
  /** The data file, for errors. */
  readonly file: string;
  /** LMDB's database of all records. Opaque here: LMDB's own types do not compile in a strict project, and this file is part of the package's types. */
  readonly records: object;
  /** From now on checkpoints write what `participant` has. Returns what ends it. */
  addCheckpointParticipant(participant: CheckpointParticipant): Cancel;
  /** Resolves when everything that the participants had is durable. Rejects when the environment has failed. */
  checkpoint(): Promise<void>;
}
