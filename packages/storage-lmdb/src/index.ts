export type { CheckpointParticipant, WriteTransaction } from "./checkpoint.ts";
export { StorageError, type StorageErrorCode } from "./errors.ts";
export type { FlushMode } from "./flush-pace.ts";
export { LmdbEnvironment, type LmdbEnvironmentOptions } from "./lmdb-environment.ts";
export { STORAGE_FORMAT_VERSION } from "./open-folder.ts";
export type { Identity } from "./records.ts";
export { LmdbStateStore, type LmdbStateStoreOptions } from "./state-store/lmdb-state-store.ts";
export type { StorageProbe } from "./storage-probe.ts";
export type { StorageUsage } from "./storage-usage.ts";
