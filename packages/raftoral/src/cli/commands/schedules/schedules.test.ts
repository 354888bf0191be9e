import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeNode } from "../../../testing/fake-node.ts";
import { type FakeServer, serveFake } from "../../../testing/fake-server.ts";
import { raftoral } from "../../../testing/run-cli.ts";

let node: FakeNode;
let server: FakeServer;
beforeEach(async () => {
  node = new FakeNode();
  server = await serveFake(node);
});
afterEach(() => server.close());

const ask = (...args: readonly string[]) => raftoral(["schedules", ...args], { RAFTORAL_NODE: server.address });
const create = () => ask("create", "nightly", "--workflow", "report", "--cron", "0 30 2 * * *");

test("a schedule is created as the flags say", async () => {
  const { code, out, err } = await ask(
    ...["create", "nightly", "--workflow", "report", "--cron", "0 30 2 * * *", "0 0 12 * * *", "--every", "30s"],
    ...["--time-zone", "Europe/Berlin", "--excluding", '[{"daysOfMonth":"25"}]', "--overlap", "allow"],
    ...["--jitter", "5s", "--catch-up", "2h", "--catch-up-all", "--end-at", "2030-01-01T00:00Z", "--paused"],
  );
  expect([code, out, err]).toEqual([0, "Schedule nightly is created.\n", ""]);
  expect(node.schedules.known.get("nightly")).toMatchObject({
    workflowType: "report",
    overlap: "allow",
    isPaused: true,
    times: {
      cron: ["0 30 2 * * *", "0 0 12 * * *"],
      everyMs: 30_000,
      timeZone: "Europe/Berlin",
      excluding: [{ daysOfMonth: "25" }],
      jitterMs: 5000,
      catchUpMs: 7_200_000,
      catchUp: "all",
      endAtMs: Date.UTC(2030, 0),
    },
  });
});

test("schedules are listed and shown, for people and for programs", async () => {
  expect((await ask("list")).out).toBe("There are no schedules.\n");
  await create();
  const list = await ask("list");
  expect(list.out).toMatch(/^SCHEDULE +WORKFLOW +TIMES +NEXT \(UTC\) +RUNNING/);
  expect(list.out).toMatch(/nightly +report +0 30 2 \* \* \* \(UTC\) +2027-03-28 01:00:00 +0 +0 +0 +0 +0\n$/);
  const shown = await ask("show", "nightly");
  expect(shown.out).toMatch(/Times: +0 30 2 \* \* \* \(UTC\)\n.*Overlap: +skip\n/s);
  expect(shown.out).toContain("last of what is late by up to 1h 00m");
  expect(JSON.parse((await ask("show", "nightly", "--json")).out)).toMatchObject({
    scheduleId: "nightly",
    overlap: "skip",
  });
  expect(JSON.parse((await ask("list", "--json")).out)).toMatchObject([{ scheduleId: "nightly" }]);
});

test.each<[args: readonly string[], says: RegExp, json: object]>([
  [["pause", "nightly", "--note", "why"], /nightly is paused/, { paused: true }],
  [["resume", "nightly"], /nightly goes on/, { resumed: true }],
  [["update", "nightly", "--overlap", "buffer-one"], /nightly is changed/, { updated: true }],
  [["trigger", "nightly"], /^Run nightly\/trigger-\S+: started\.$/m, { outcome: "started" }],
  [["backfill", "nightly", "2026-03-01T00:00Z", "2026-03-02T00:00Z"], /are run/, { backfilling: true }],
  [["delete", "nightly"], /nightly is deleted/, { deleted: true }],
])("%j does that", async (args, says, json) => {
  await create();
  expect(await ask(...args)).toMatchObject({ code: 0, out: expect.stringMatching(says) });
  if (args[0] === "delete") await create();
  expect(JSON.parse((await ask(...args, "--json")).out)).toMatchObject(json);
});

test("a change says why", async () => {
  await ask("create", "nightly", "--workflow", "report", "--every", "1h", "--reason", "a");
  await ask("update", "nightly", "--overlap", "allow", "--reason", "b");
  await ask("trigger", "nightly", "--reason", "c");
  await ask("backfill", "nightly", "2026-03-01T00:00Z", "2026-03-02T00:00Z", "--reason", "d");
  await ask("delete", "nightly", "--reason", "e");
  expect(node.schedules.reasons).toEqual(["a", "b", "c", "d", "e"]);
});

test("what cannot be is refused with a reason", async () => {
  expect(await ask("show", "none")).toMatchObject({
    code: 1,
    err: expect.stringContaining("There is no schedule none"),
  });
  expect((await ask("create", "x", "--workflow", "w", "--every", "soon")).code).toBe(2);
  expect((await ask("create", "x", "--workflow", "w", "--start-at", "tomorrow")).code).toBe(2);
  expect((await ask("create", "x")).code).toBe(2);
});
