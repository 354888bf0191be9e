// Proof that a storage is one.
export { storageConformance } from "./storage-conformance.ts";
export type { StorageSubject, TestFunctions } from "./storage-subject.ts";
