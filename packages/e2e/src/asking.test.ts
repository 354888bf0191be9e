// @module-tag slow

// A run on real processes is asked from outside: its variables are read, it is queried, and its token is answered, while its owner is dead.
import { expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { eventually } from "./harness/index.ts";
import { type approval, course, stage } from "./programs/approval.ts";

const WAIT_MS = 30_000;
const TEST_MS = 90_000;

const cluster = useCluster(3);

test(
  "a token that is answered right after its run's owner was killed reaches the next owner's body, and variables stay readable",
  async () => {
    const { workflows: first } = await cluster().client(1);
    const run = await first.start<typeof approval>("approval", undefined, { runId: "approval-1" });
    await eventually(WAIT_MS, "the question", async () => (await run.variable(stage)) === "asked");
    const token = await run.variable("token");
    const { owner } = await run.describe();
    const other = [1, 2, 3].find((nodeId) => nodeId !== owner) ?? 0;
    await cluster().kill(owner);

    const { workflows } = await cluster().client(other);
    expect(await workflows.query("approval-1", course, undefined, { timeoutMs: WAIT_MS })).toEqual(["asked"]);
    await workflows.answer(String(token), { by: "somebody" }, { timeoutMs: WAIT_MS });
    expect(await workflows.variable("approval-1", stage)).toMatch(/^(asked|approved)$/);
    await workflows.answer(String(token), { by: "somebody" });
    await expect(workflows.answer(String(token), { by: "another" })).rejects.toMatchObject({ code: "TOKEN_CONFLICT" });
    const result = await workflows.run<typeof approval>("approval-1").result({ timeoutMs: WAIT_MS });
    expect(result).toMatchObject({ answer: { by: "somebody" }, asked: { node: owner, token }, isSame: true });
    expect(result.packed.node).not.toBe(owner);
    expect(await workflows.variable("approval-1", stage)).toBe("approved");
    expect(await workflows.query("approval-1", course)).toEqual(["asked", "approved by somebody"]);
    const answers = (await Array.fromAsync(workflows.history("approval-1"))).filter(({ kind }) => kind === "answer");
    expect(answers).toHaveLength(1);
  },
  TEST_MS,
);
