import { randomBytes, randomUUID } from "node:crypto";
import fs, { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { workflow } from "@raftoral/workflow";
import { describe, expect, test } from "vitest";
import { TestCluster } from "../cluster/test-cluster.ts";
import { inBody, installGuards, type PlatformUse } from "./body-guard.ts";

const THIS_FILE = new URL(import.meta.url);

const uses: readonly (readonly [what: string, use: () => unknown])[] = [
  ["Date.now", () => Date.now()],
  ["new Date()", () => new Date()],
  ["Date()", () => Date()],
  ["performance.now", () => performance.now()],
  ["process.hrtime", () => process.hrtime()],
  ["process.uptime", () => process.uptime()],
  ["Math.random", () => Math.random()],
  ["setTimeout", () => clearTimeout(setTimeout(() => {}, 0))],
  ["setImmediate", () => clearImmediate(setImmediate(() => {}))],
  ["timers/promises.setTimeout", () => pause(0)],
  ["crypto.randomUUID", () => crypto.randomUUID()],
  ["crypto.randomUUID", () => randomUUID()],
  ["crypto.getRandomValues", () => crypto.getRandomValues(new Uint8Array(1))],
  ["crypto.randomBytes", () => randomBytes(1)],
  ["fetch", () => fetch("data:text/plain,tea")],
  ["process.cwd", () => process.cwd()],
  ["process.env.LIMIT", () => process.env.LIMIT],
  ["fs.existsSync", () => existsSync(THIS_FILE)],
  ["fs.readFileSync", () => fs.readFileSync(THIS_FILE)],
  ["fs.promises.readFile", () => readFile(THIS_FILE)],
  ["net.connect", () => net.connect({ port: 1, host: "127.0.0.1" }).on("error", () => {})],
];

describe("while guards are installed", () => {
  test.each(uses)("%s in a body is told by name, with the place", async (what, use) => {
    const told: PlatformUse[] = [];
    const uninstall = installGuards();
    try {
      await inBody({ runId: "order-1", workflowType: "order" }, (one) => told.push(one), use);
      await use();
    } finally {
      uninstall();
    }
    expect(told.map((one) => one.what)).toEqual([what]);
    expect(told[0]?.where).toContain("body-guard.test.ts");
  });

  test("what is no use of the platform is not told", async () => {
    const told: PlatformUse[] = [];
    const uninstall = installGuards();
    try {
      await inBody(
        { runId: "order-1", workflowType: "order" },
        (one) => told.push(one),
        async () => {
          new Date(0).toISOString();
          console.debug("printed by a body");
          await import("node:zlib");
          expect(new Error("a stack").stack).toContain("body-guard.test.ts");
          expect(process.env.NODE_ENV).toBe("test");
        },
      );
    } finally {
      uninstall();
    }
    expect(told).toEqual([]);
  });

  test("the environment can be read, written, listed and deleted from", () => {
    const uninstall = installGuards();
    try {
      process.env.RAFTORAL_GUARD = "on";
      expect({ ...process.env }).toMatchObject({ RAFTORAL_GUARD: "on" });
      expect("RAFTORAL_GUARD" in process.env).toBe(true);
    } finally {
      uninstall();
    }
    expect(process.env.RAFTORAL_GUARD).toBe("on");
    delete process.env.RAFTORAL_GUARD;
  });

  test("the platform's own functions are back afterwards", () => {
    const before = [Date, Date.now, fs.readFileSync, existsSync, randomUUID, process.env, fetch];
    const uninstalls = [installGuards(), installGuards()];
    expect(existsSync).not.toBe(before[3]);
    for (const uninstall of uninstalls) uninstall();
    expect([Date, Date.now, fs.readFileSync, existsSync, randomUUID, process.env, fetch]).toEqual(before);
  });
});

test("a body that reads a file fails with the name of what it used; a step may", async () => {
  const reads = workflow("reads", { version: 1 }, async (ctx, inStep: boolean) => {
    if (!inStep) return (await readFile(THIS_FILE, "utf8")).length > 0;
    return await ctx.step("read", async () => (await readFile(THIS_FILE, "utf8")).length > 0);
  });
  await using cluster = await TestCluster.start({ workflows: [reads], nodes: 1 });
  const right = await cluster.workflows.start(reads, true);
  expect(await right.result()).toBe(true);
  const wrong = await cluster.workflows.start(reads, false);
  await expect(wrong.result()).rejects.toThrow("uses fs.promises.readFile");
});
