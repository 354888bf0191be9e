import { expect } from "vitest";
import { feature, WAIT_MS } from "./feature.ts";

const HOUR_MS = 3_600_000;
/** More than the kill takes; the next leader sees it pass. */
const DELAY_MS = 6_000;

export const delays = feature({
  title:
    "delayed runs outlive the node that started them: one begins when it is due, one when it is resumed, one is cancelled",
  isTimed: true,
  begin: async ({ workflows }) => {
    await workflows.start("delayed", "due", { runId: "delayed-due", delayMs: DELAY_MS });
    const startAt = new Date(Date.now() + HOUR_MS);
    for (const runId of ["delayed-resumed", "delayed-cancelled"]) {
      await workflows.start("delayed", "by hand", { runId, startAt });
      expect(await workflows.describe(runId)).toMatchObject({ status: "delayed", startsAtMs: startAt.getTime() });
    }
  },
  end: async ({ workflows }) => {
    await workflows.resume("delayed-resumed", { timeoutMs: WAIT_MS });
    await workflows.cancel("delayed-cancelled", { timeoutMs: WAIT_MS });
    expect(await workflows.result("delayed-resumed", { timeoutMs: WAIT_MS })).toBe("by hand");
    expect(await workflows.wait("delayed-cancelled")).toMatchObject({ status: "cancelled" });
    expect(await workflows.result("delayed-due", { timeoutMs: WAIT_MS })).toBe("due");
    const { startedAtMs, endedAtMs = 0, takeovers } = await workflows.describe("delayed-due");
    expect(endedAtMs - startedAtMs).toBeGreaterThanOrEqual(DELAY_MS);
    expect(takeovers).toBe(0);
  },
});
