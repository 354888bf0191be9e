import { exclusive, object, shared } from "@raftoral/workflow";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RaftoralNode } from "../../node/raftoral-node.ts";
import { raftoral } from "../../testing/run-cli.ts";

const account = object(
  "account",
  { version: 1, state: 0 },
  {
    deposit: exclusive((ctx, amount: number) => ctx.state.update((sum) => sum + amount)),
    greet: shared((_ctx, name: string) => `hello ${name}`),
    touch: exclusive(async (ctx): Promise<void> => ctx.state.set(ctx.state.value)),
  },
);

let node: RaftoralNode;
beforeAll(async () => {
  node = await RaftoralNode.start({
    listen: "127.0.0.1:0",
    bootstrap: true,
    workflows: [account],
    timing: { tickMs: 20 },
  });
});
afterAll(() => node.stop({ timeoutMs: 1 }));

const cli = (...args: readonly string[]) => raftoral(["object", ...args], { RAFTORAL_NODE: String(node.address) });

test("calls, sends, reads, lists and deletes objects, for people and for programs", async () => {
  expect(await cli("list", "account")).toMatchObject({
    code: 0,
    out: "There are no objects of type account.\n",
    err: "",
  });
  expect(await cli("call", "account", "alice", "deposit", "--input", "10", "--id", "d1")).toMatchObject({
    code: 0,
    out: "10\n",
  });
  expect(await cli("call", "account", "alice", "deposit", "--input", "10", "--id", "d1", "--json")).toMatchObject({
    out: "10\n",
  });
  expect(await cli("call", "account", "alice", "greet", "--input", '"you"')).toMatchObject({ out: "hello you\n" });
  expect(await cli("call", "account", "alice", "touch")).toMatchObject({
    out: "Call touch of object account/alice was carried out.\n",
  });
  const sent = await cli("send", "account", "alice", "deposit", "--input", "5", "--id", "d2", "--json");
  expect(JSON.parse(sent.out)).toEqual({ type: "account", key: "alice", handler: "deposit", id: "d2" });
  await expect.poll(async () => (await cli("state", "account", "alice")).out).toBe("15\n");
  expect(await cli("send", "account", "alice", "deposit", "--input", "7", "--after", "1h")).toMatchObject({ code: 0 });
  const listed = await cli("list", "account", "--json");
  expect(JSON.parse(listed.out)).toMatchObject([{ key: "alice", version: 1, status: "running" }]);
  expect((await cli("list", "account")).out).toMatch(/^KEY +STATUS +VERSION +OWNER\nalice +running +1 +1\n$/);
  expect(await cli("delete", "account", "alice", "--json")).toMatchObject({ code: 0 });
  expect(await cli("state", "account", "alice")).toMatchObject({ out: "Object account/alice has no state.\n" });
  expect(await cli("state", "account", "alice", "--json")).toMatchObject({ out: "null\n" });
});

test("tells of what is refused", async () => {
  const conflict = await cli("call", "account", "bob", "deposit", "--input", "1", "--id", "c");
  expect(conflict).toMatchObject({ code: 0, out: "1\n" });
  expect((await cli("call", "account", "bob", "deposit", "--input", "2", "--id", "c")).err).toContain(
    "UPDATE_CONFLICT",
  );
  expect(await cli("call", "account", "bob", "none")).toMatchObject({ code: 1, out: "" });
  expect(await cli("send", "account", "bob", "deposit", "--after", "soon")).toMatchObject({ out: "" });
  expect(await cli("call", "account", "bob", "deposit", "--input", "{")).toMatchObject({ code: 2, out: "" });
});
