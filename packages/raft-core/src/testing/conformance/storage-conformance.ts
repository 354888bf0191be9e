/**
 * Proof that a storage is one: every method of {@link GroupStorage}, and the invariants S1-S5 of storage.ts.
 *
 * ```ts
 * import { storageConformance } from "@raftoral/raft-core/testing";
 * import { describe, it } from "vitest";
 *
 * storageConformance("MyStorage", () => MySubject.create(), { describe, it });
 * ```
 *
 * The suite must not depend on a test runner: `describe` and `it` are given to it, and its assertions are its own.
 */
import { storageLogCases } from "./storage-log-cases.ts";
import { storageSnapshotCases } from "./storage-snapshot-cases.ts";
import type { StorageSubject, TestFunctions } from "./storage-subject.ts";

/** Declares the suite. `create` makes a fresh, empty subject for each case. */
export function storageConformance(
  name: string,
  create: () => Promise<StorageSubject> | StorageSubject,
  test: TestFunctions,
): void {
  const declare = (title: string, body: (subject: StorageSubject) => Promise<void>) => {
    test.it(title, async () => {
      const subject = await create();
      try {
        await body(subject);
      } finally {
        await subject.dispose();
      }
    });
  };
  test.describe(`${name}: log and hard state`, () => storageLogCases(declare));
  test.describe(`${name}: snapshots`, () => storageSnapshotCases(declare));
}
