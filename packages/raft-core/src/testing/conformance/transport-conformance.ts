/**
 * The conformance suite of transports: every method of {@link PeerTransport} and {@link GroupChannel}, on a network that works, on
 * one with outages, with requests of the application, and with snapshots.
 *
 * ```ts
 * import { transportConformance } from "@raftoral/raft-core/testing";
 * import { describe, test } from "vitest";
 *
 * transportConformance("MyTransport", () => MySubject.create(), { describe, test });
 * ```
 *
 * The suite does not depend on a test runner: it gets `describe` and `test` as arguments, and has its own assertions.
 */
import { casesOf, type TestFunctions } from "./declare-cases.ts";
import { transportMessageCases } from "./transport-message-cases.ts";
import { transportOutageCases } from "./transport-outage-cases.ts";
import { transportRequestCases } from "./transport-request-cases.ts";
import { transportSnapshotCases } from "./transport-snapshot-cases.ts";
import type { TransportSubject } from "./transport-subject.ts";

/** Declares the suite. `create` returns a new network for each case. */
export function transportConformance(
  name: string,
  create: () => Promise<TransportSubject> | TransportSubject,
  runner: TestFunctions,
): void {
  const declare = casesOf(runner, create);
  runner.describe(`${name}: messages`, () => transportMessageCases(declare));
  runner.describe(`${name}: outages`, () => transportOutageCases(declare));
  runner.describe(`${name}: requests`, () => transportRequestCases(declare));
  runner.describe(`${name}: snapshots`, () => transportSnapshotCases(declare));
}
