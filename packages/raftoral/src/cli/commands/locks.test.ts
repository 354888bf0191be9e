import { afterEach, beforeEach, expect, test } from "vitest";
import { fakeAsk, fakeLock } from "../../testing/fake-locks.ts";
import { FakeNode } from "../../testing/fake-node.ts";
import { run } from "../../testing/fake-run.ts";
import { type FakeServer, serveFake } from "../../testing/fake-server.ts";
import { raftoral } from "../../testing/run-cli.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  server = await serveFake(node);
});
afterEach(() => server.close());

const ask = (...args: readonly string[]) => raftoral(args, { RAFTORAL_NODE: server.address });
const HOLDER = fakeAsk({ token: 7, runId: "A17", path: "account/lock", grantedAtMs: 1_000 });
const WAITER = fakeAsk({ requestId: "r", value: "worker-3", leaseMs: 15_000 });

test("locks are listed and shown, with who holds them and who waits", async () => {
  const lock = fakeLock("account", { held: 1, waiting: 1, available: 0, holders: [HOLDER], waiters: [WAITER] });
  node.locks.all.set("account", { ...lock, oldestAtMs: Date.now() - 61_000 });
  const listed = await ask("lock", "ls");
  expect(listed.out).toMatch(/^LOCK +LIMITS +HELD +WAITING +OLDEST +HOLDERS$/m);
  expect(listed.out).toMatch(/^account +1 permit +1 +1 +1m 01s +run A17 at account\/lock$/m);
  const shown = await ask("lock", "show", "account");
  expect(shown.out).toMatch(/Held: +1, 0 free/);
  expect(shown.out).toMatch(/run A17 at account\/lock +7 .* the run's/);
  expect(shown.out).toMatch(/worker-3 +- .* 15.0s|worker-3 +- .* 15s/);
  expect(JSON.parse((await ask("lock", "show", "account", "--json")).out)).toMatchObject({ name: "account", held: 1 });
  expect(await ask("lock", "show", "none")).toMatchObject({ code: 1, err: expect.stringContaining("no lock none") });
});

test("a lock is taken from its only holder, or from the one that is named", async () => {
  node.locks.all.set("account", fakeLock("account", { held: 1, holders: [HOLDER] }));
  const told = await ask("lock", "release", "account", "--reason", "it hangs");
  expect(told).toMatchObject({ code: 0, out: "Lock account is taken from the holder of token 7.\n" });
  expect(node.locks.calls.at(-1)).toEqual(["change", "account", { kind: "release", token: 7 }]);
  expect(await ask("lock", "release", "account")).toMatchObject({ code: 2, err: expect.stringContaining("0 holders") });
  await ask("lock", "release", "account", "--token", "9");
  expect(node.locks.calls.at(-1)).toEqual(["change", "account", { kind: "release", token: 9 }]);
});

test("limits are given and forgotten", async () => {
  expect((await ask("lock", "limit", "gpu", "--permits", "8")).out).toBe("Lock gpu has the limits: 8 permits.\n");
  const told = await ask("lock", "limit", "api", "--rate", "100/1m", "--burst", "10");
  expect(told.out).toBe("Lock api has the limits: 100 in 1m 00s, 10 at once.\n");
  expect(node.locks.all.get("api")).toMatchObject({ limits: { rate: { limit: 100, periodMs: 60_000, burst: 10 } } });
  expect((await ask("lock", "limit", "gpu", "--forget")).out).toBe("Lock gpu has the limits that code gives.\n");
  expect(await ask("lock", "limit", "gpu")).toMatchObject({ code: 2, err: expect.stringContaining("--permits") });
  expect(await ask("lock", "limit", "gpu", "--rate", "100")).toMatchObject({ code: 2 });
});

test("a run says which lock it waits for, and who holds that", async () => {
  const locks = [
    { name: "account", path: "account/lock", token: undefined, heldBy: [{ ...HOLDER, runId: "B3" }] },
    { name: "gpu", path: "gpu/lock", token: 12, heldBy: [] },
  ];
  node.runs.set("A17", run("A17", { locks }));
  const { out } = await ask("show", "A17");
  expect(out).toMatch(/^account +waits +account\/lock +run B3 at account\/lock$/m);
  expect(out).toMatch(/^gpu +12 +gpu\/lock +this run$/m);
});
