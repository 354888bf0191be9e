/**
 * Proof that a transport is one: every method of {@link PeerTransport} and {@link GroupChannel}, on a network that works, on
 * one with outages, and with snapshots.
 *
 * ```ts
 * import { transportConformance } from "@raftoral/raft-core/testing";
 * import { describe, it } from "vitest";
 *
 * transportConformance("MyTransport", () => MySubject.create(), { describe, it });
 * ```
 *
 * The suite must not depend on a test runner: `describe` and `it` are given to it, and its assertions are its own.
 */
import type { TestFunctions } from "./storage-subject.ts";
import { transportMessageCases } from "./transport-message-cases.ts";
import { transportOutageCases } from "./transport-outage-cases.ts";
import { transportSnapshotCases } from "./transport-snapshot-cases.ts";
import type { TransportSubject } from "./transport-subject.ts";

/** Declares the suite. `create` makes a fresh network for each case. */
export function transportConformance(
  name: string,
  create: () => Promise<TransportSubject> | TransportSubject,
  test: TestFunctions,
): void {
  const declare = (title: string, body: (subject: TransportSubject) => Promise<void>) => {
    test.it(title, async () => {
      const subject = await create();
      try {
        await body(subject);
      } finally {
        await subject.dispose();
      }
    });
  };
  test.describe(`${name}: messages`, () => transportMessageCases(declare));
  test.describe(`${name}: outages`, () => transportOutageCases(declare));
  test.describe(`${name}: snapshots`, () => transportSnapshotCases(declare));
}
