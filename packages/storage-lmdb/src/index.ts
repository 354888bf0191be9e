// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

// To keep a node's groups in a folder.

export { StorageError, type StorageErrorCode } from "./errors.ts";
export type { FlushMode } from "./flush-pace.ts";
export { STORAGE_FORMAT_VERSION } from "./format-version.ts";
export { LmdbEnvironment, type LmdbEnvironmentOptions } from "./lmdb-environment.ts";
export type { Identity } from "./records.ts";
export type { StorageProbe } from "./storage-probe.ts";
export type { StorageUsage } from "./storage-usage.ts";

// To keep state that is derived from a log beside it.

export type { CheckpointParticipant, WriteTransaction } from "./checkpoint.ts";
export { LmdbStateStore, type LmdbStateStoreOptions } from "./state-store/lmdb-state-store.ts";

// To look at, copy and repair the folder of a node that does not run.

export { backupFolder } from "./offline/backup-folder.ts";
export type { Damage } from "./offline/damage.ts";
export {
  type FolderReport,
  type GroupReport,
  inspectFolder,
  type MemberReport,
  type SnapshotReport,
  type StateReport,
} from "./offline/inspect-folder.ts";
export {
  type BackupFile,
  type BackupGroup,
  type BackupManifest,
  readManifest as readBackupManifest,
} from "./offline/manifest.ts";
export {
  type FolderRecovery,
  type GroupRecovery,
  planRecovery,
  type RecoverOptions,
  recoverFolder,
} from "./offline/recover-folder.ts";
export { type Restoration, restoreBackup } from "./offline/restore-backup.ts";
export { type VerifyOptions, type VerifyProgress, type VerifyReport, verifyFolder } from "./offline/verify-folder.ts";
