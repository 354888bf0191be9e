// First: what follows does not run on an old Node.
import "@raftoral/raft-core/require-node";

// To keep a node's groups in a folder.

export { FileBlobStore } from "./blobs/file-blob-store.ts";
export type { FlushMode } from "./commit/flush-pace.ts";
export type { StorageProbe } from "./commit/storage-probe.ts";
export { StorageError, type StorageErrorCode } from "./errors.ts";
export type { StorageUsage } from "./folder/storage-usage.ts";
export { STORAGE_FORMAT_VERSION } from "./format/format-version.ts";
export type { Identity } from "./format/records.ts";
export { LmdbEnvironment, type LmdbEnvironmentOptions } from "./lmdb-environment.ts";

// To keep state that is derived from a log beside it.

export type { CheckpointParticipant, WriteTransaction } from "./commit/checkpoint.ts";
export { LmdbStateStore, type LmdbStateStoreOptions } from "./state-store/lmdb-state-store.ts";

// To look at, copy and repair the folder of a node that does not run.

export { backupFolder } from "./offline/backup-folder.ts";
export type { BlobsReport } from "./offline/blob-files.ts";
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
