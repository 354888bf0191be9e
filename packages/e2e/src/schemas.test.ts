// @module-tag slow

/** Schemas of inputs and signals while owners are killed: a body gets what the first one got. */
import { expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { eventually } from "./harness/index.ts";
import { seal, type ticket } from "./programs/ticket.ts";

const WAIT_MS = 20_000;
const TEST_MS = 60_000;

const cluster = useCluster(3);

test(
  "a run whose owner is killed goes on with the input and the payload that its schemas made once",
  async () => {
    const { workflows: first } = await cluster().client(1);
    await first.start<typeof ticket>("ticket", { name: "ada" }, { runId: "t-1" });
    await eventually(WAIT_MS, "the ticket to be printed", async () => (await first.describe("t-1")).recordCount >= 2);
    await cluster().kill(1);
    const { workflows } = await cluster().client(2);
    const run = workflows.run<typeof ticket>("t-1");
    await expect(run.signal(seal, "someday")).rejects.toMatchObject({ code: "SIGNAL_INVALID" });
    await run.signal(seal, "2026-03-01T00:00:00Z");
    const result = await run.result({ timeoutMs: WAIT_MS });
    expect(result).toMatchObject({ name: "ada", year: 2026, number: result.printed, sealed: result.printed });
    const { takeovers } = await run.describe();
    expect(takeovers).toBeGreaterThan(0);
    const paths = (await Array.fromAsync(run.history())).map((record) => record.path);
    expect(paths).toEqual(["input/parsed", "print#0", "seal#0", "seal#0/parsed", "seal#1"]);
  },
  TEST_MS,
);
