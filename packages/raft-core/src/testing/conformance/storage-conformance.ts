/**
 * The conformance suite of storages: every method of {@link GroupStorage}, and the invariants S1-S5 of ports/storage.ts.
 *
 * ```ts
 * import { storageConformance } from "@raftoral/raft-core/testing";
 * import { describe, test } from "vitest";
 *
 * storageConformance("MyStorage", () => MySubject.create(), { describe, test });
 * ```
 *
 * The suite does not depend on a test runner: it gets `describe` and `test` as arguments, and has its own assertions.
 */
import { casesOf, type TestFunctions } from "./declare-cases.ts";
import { storageLogCases } from "./storage-log-cases.ts";
import { storageSnapshotCases } from "./storage-snapshot-cases.ts";
import type { StorageSubject } from "./storage-subject.ts";

/** Declares the suite. `create` returns a new, empty subject for each case. */
export function storageConformance(
  name: string,
  create: () => Promise<StorageSubject> | StorageSubject,
  runner: TestFunctions,
): void {
  const declare = casesOf(runner, create);
  runner.describe(`${name}: log and hard state`, () => storageLogCases(declare));
  runner.describe(`${name}: snapshots`, () => storageSnapshotCases(declare));
}
