// Proof that a storage is one.
export { storageConformance } from "./storage-conformance.ts";
export type { StorageSubject, TestFunctions } from "./storage-subject.ts";
// Proof that a transport is one.
export { transportConformance } from "./transport-conformance.ts";
export { numbered, RecordingReceiver, sendUntilReceived, type TransportSubject } from "./transport-subject.ts";
