import { expect } from "vitest";
import { type approval, course, stage } from "../programs/approval.ts";
import { feature, until, WAIT_MS } from "./feature.ts";

export const asking = feature({
  title:
    "a token that is answered right after the kill reaches the next owner's body; variables and queries stay answered",
  begin: async ({ workflows }) => {
    const run = await workflows.start<typeof approval>("approval", undefined, { runId: "approval" });
    await until("the question", async () => (await run.variable(stage)) === "asked");
    return { token: String(await run.variable("token")) };
  },
  end: async ({ workflows, killed }, { token }) => {
    expect(await workflows.query("approval", course, undefined, { timeoutMs: WAIT_MS })).toEqual(["asked"]);
    await workflows.answer(token, { by: "somebody" }, { timeoutMs: WAIT_MS });
    expect(await workflows.variable("approval", stage)).toMatch(/^(asked|approved)$/);
    await workflows.answer(token, { by: "somebody" });
    await expect(workflows.answer(token, { by: "another" })).rejects.toMatchObject({ code: "TOKEN_CONFLICT" });
    const result = await workflows.run<typeof approval>("approval").result({ timeoutMs: WAIT_MS });
    expect(result).toMatchObject({ answer: { by: "somebody" }, asked: { node: killed, token }, isSame: true });
    expect(result.packed.node).not.toBe(killed);
    expect(await workflows.variable("approval", stage)).toBe("approved");
    expect(await workflows.query("approval", course)).toEqual(["asked", "approved by somebody"]);
    const answers = (await Array.fromAsync(workflows.history("approval"))).filter(({ kind }) => kind === "answer");
    expect(answers).toHaveLength(1);
  },
});
