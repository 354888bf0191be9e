/** Cases of the conformance suite of `Workflows`: runs that are exported for replays. */
import { BEHAVIOUR_LEVEL } from "@raftoral/workflow";
import { expect, test } from "vitest";
import { Payload } from "../../api/payloads/payload.ts";
import type { Run, Workflows } from "../../api/workflows.ts";

/** The cases. To be called after run `first` of the suite has ended. `held` gives a run that waits at its gate. */
export function exportCases(
  subject: () => { readonly workflows: Workflows },
  held: () => Promise<Run<unknown[]>>,
): void {
  test("a run is exported with everything that a replay needs", async () => {
    const { workflows } = subject();
    const exported = await workflows.exportHistory("first");
    expect(exported).toEqual({
      format: "raftoral-history/1",
      behaviourLevel: BEHAVIOUR_LEVEL,
      runId: "first",
      workflowType: "order",
      version: 2,
      seed: expect.stringMatching(/^[A-Za-z0-9+/]{22}==$/),
      startedAtMs: expect.any(Number),
      input: { value: { item: "tea", total: 20 } },
      records: [
        { path: "price#0", kind: "step", recordedAtMs: expect.any(Number), value: 40 },
        { path: "nothing#0", kind: "step", recordedAtMs: expect.any(Number) },
      ],
      pendingSignals: [],
      outcome: { status: "completed", endedAtMs: expect.any(Number), value: { item: "tea", price: 40 } },
    });
    expect(JSON.parse(JSON.stringify(exported))).toEqual(exported);
    const bytes = await workflows.start("gated", Payload.ofBytes(Uint8Array.of(0xff), "it"), {
      runId: `exported-${crypto.randomUUID()}`,
    });
    expect(await bytes.exportHistory()).toMatchObject({ input: { base64: "/w==" }, records: [] });
    const run = await held();
    await run.signal("later", 1);
    expect(await run.exportHistory()).toMatchObject({
      input: {},
      pendingSignals: ["later"],
      outcome: { status: "running" },
    });
  });
}
