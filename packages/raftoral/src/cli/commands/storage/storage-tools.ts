/** What the commands of `raftoral storage` have in common. */
import type { CliIo } from "../../io.ts";

/** What they need of the program. */
export interface StorageCommandHost {
  readonly io: CliIo;
  setExitCode(code: number): void;
}

/** Loaded only by the commands that read folders: asking a node should not wait for a database to load. */
export function storageTools(): Promise<typeof import("@raftoral/storage-lmdb")> {
  return import("@raftoral/storage-lmdb");
}
