import { expect } from "vitest";
import { till } from "../programs/till.ts";
import { feature, until, WAIT_MS } from "./feature.ts";

const paid = (by: string, amount: number) => ({ by, amount });

export const objects = feature({
  title:
    "an object carries out the calls that were queued, each once and in their order, after the one that its owner died in",
  begin: async ({ workflows }) => {
    const front = workflows.object(till, "front");
    await front.call("pay", paid("first", 1), { id: "first" });
    const slow = await front.send("pay", paid("slow", 10), { id: "slow" });
    const queued = await front.send("pay", paid("queued", 100), { id: "queued" });
    await front.sendLater("pay", paid("later", 1000), { after: "2s" });
    expect(await front.call("look")).toBe(1);
    return [slow.id, queued.id];
  },
  end: async ({ workflows, killed }, [slow, queued]) => {
    const front = workflows.object(till, "front");
    const limit = { timeoutMs: WAIT_MS };
    const nodes = [
      await front.call("pay", paid("first", 1), { id: "first", ...limit }),
      await front.call("pay", paid("slow", 10), { id: slow ?? "", ...limit }),
      await front.call("pay", paid("queued", 100), { id: queued ?? "", ...limit }),
    ];
    expect(nodes[0]).toBe(killed);
    expect(nodes[1]).not.toBe(killed);
    await until("the call that was sent for later", async () => (await front.state())?.sum === 1111);
    expect((await front.state())?.payers).toEqual(["first", "slow", "queued", "later"]);
    await front.delete(limit);
    await workflows.wait(front.runId, limit);
    expect(await front.state()).toBeUndefined();
  },
});
