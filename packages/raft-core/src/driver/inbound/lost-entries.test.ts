import { expect, test } from "vitest";
import { InvariantViolation } from "../../errors.ts";
import { message } from "../../message.ts";
import { assertNothingLost } from "./lost-entries.ts";

const heartbeat = message({ type: "MsgHeartbeat", from: 3, to: 1, term: 2, commit: 17 });

test("a node that lost what it acknowledged stops, and says what is missing", () => {
  const lost = () => assertNothingLost(heartbeat, { ok: false, reason: "lost-entries", leaderHint: 3 });
  expect(lost).toThrow(InvariantViolation);
  expect(lost).toThrow(/entry 17 is not in the log, though node 3/);
});

test("any other refusal of a peer's message is the peer's trouble", () => {
  expect(() => assertNothingLost(heartbeat, { ok: true })).not.toThrow();
  for (const reason of ["malformed", "unknown-peer", "local-message", "no-leader"] as const) {
    expect(() => assertNothingLost(heartbeat, { ok: false, reason, leaderHint: 0 })).not.toThrow();
  }
});
