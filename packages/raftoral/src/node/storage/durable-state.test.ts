// @module-tag slow

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Logger, LogIndex } from "@raftoral/raft-core";
import { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { WorkflowExecutor, workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { STATE } from "../../testing/state-writer.ts";
import { TestCluster } from "../../testing/test-cluster.ts";
import type { RaftoralNode } from "../raftoral-node.ts";

const WRITER = fileURLToPath(new URL("../../testing/state-writer.ts", import.meta.url));

function captured(executor: WorkflowExecutor): string {
  return Buffer.concat([...executor.state.capture(64 * 1024)]).toString("base64");
}

describe("a process that is killed while it writes state", () => {
  let path: string;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), "raftoral-state-"));
  });
  afterEach(() => rm(path, { recursive: true, force: true }));

  /** Runs the writer until it has applied `more` commands, then kills it somewhere in the next one. */
  async function killedAfter(more: number, seed: number): Promise<void> {
    const child = spawn(process.execPath, ["--conditions=@raftoral/source", WRITER, path, String(seed)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const closed = once(child, "close");
    let lines = 0;
    for await (const line of createInterface(child.stdout)) {
      lines += 1;
      if (lines > more) break;
      expect(line).not.toBe("");
    }
    expect(lines).toBeGreaterThan(more);
    child.kill("SIGKILL");
    await closed;
  }

  test("finds the state of some commit, and with the log behind it the state of all", { timeout: 60_000 }, async () => {
    let lastDurable = 0;
    for (let round = 1; round <= 3; round++) {
      await killedAfter(100 + 60 * round, round);
      const environment = await LmdbEnvironment.open({ path });
      const storage = await environment.group(1);
      const store = environment.state(1, STATE);
      const found = new WorkflowExecutor({ store, stateCacheBytes: STATE.cacheBytes });
      const replayed = new WorkflowExecutor();
      const replay = (executor: WorkflowExecutor, lo: LogIndex, hi: LogIndex): void => {
        for (let index = lo; index < hi; index++) {
          const [entry] = storage.entries(index, index + 1, 0);
          if (typeof entry !== "object") throw new Error(`entry ${index} is missing`);
          void executor.apply([{ index, term: 1, command: executor.decode(entry.data) }]);
        }
      };
      expect(store.appliedIndex).toBeGreaterThan(lastDurable);
      expect(store.appliedIndex).toBeLessThanOrEqual(storage.lastIndex());
      lastDurable = store.appliedIndex;
      replay(replayed, 1, lastDurable + 1);
      expect(captured(found)).toBe(captured(replayed));
      for (const executor of [found, replayed]) replay(executor, lastDurable + 1, storage.lastIndex() + 1);
      expect(captured(found)).toBe(captured(replayed));
      await environment.close();
    }
  });
});

describe("nodes with data folders", () => {
  const echo = workflow("echo", { version: 1 }, async (ctx, input: string) => {
    return `${await ctx.step("say", () => input)}!`;
  });
  let cluster: TestCluster;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "raftoral-state-"));
    cluster = await TestCluster.create("memory", [echo]);
  });
  afterEach(async () => {
    await cluster.dispose();
    await rm(folder, { recursive: true, force: true });
  });

  /** Where a node keeps what it has, and what it says. */
  function place(number: number) {
    return { dataDir: join(folder, String(number)), listen: `node-${number}:1` };
  }

  /** What a node says, and when it says it. */
  function listening() {
    const said = new Set<string>();
    const waiting = new Map<string, () => void>();
    const note = (_: object, text: string): void => {
      said.add(text);
      waiting.get(text)?.();
    };
    const logger: Logger = { debug: () => {}, info: note, warn: note, error: note };
    const toSay = async (text: string): Promise<void> => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => reject(new Error(`not said within ten seconds: ${text}`)), 10_000);
      waiting.set(text, resolve);
      if (said.has(text)) resolve();
      await promise.finally(() => clearTimeout(timer));
    };
    return { said, logger, toSay };
  }

  async function run(node: RaftoralNode, from: number, to: number): Promise<void> {
    const ids = Array.from({ length: to - from }, (_, i) => `run-${from + i}`);
    const runs = await Promise.all(ids.map((id) => node.workflows.start(echo, id, { runId: id })));
    await Promise.all(runs.map((handle) => handle.result()));
  }

  test("join from a snapshot that is captured when it is sent, and restart with the state that they have", async () => {
    const limits = { snapshotEveryEntries: 20, keepEntries: 1 };
    const first = listening();
    const second = listening();
    const one = await cluster.start({ ...place(1), bootstrap: true, limits, logger: first.logger });
    await run(one, 0, 30);
    await first.toSay("snapshot taken");
    const two = await cluster.start({ ...place(2), join: one.address, limits, logger: second.logger });
    await second.toSay("snapshot received");
    await first.toSay("snapshot sent");
    await run(two, 30, 60);
    await two.stop();
    const third = listening();
    const again = await cluster.start({ ...place(2), limits, logger: third.logger });
    await again.cluster.waitForLeader();
    expect(await Array.fromAsync(again.workflows.list({ status: "completed" }))).toHaveLength(60);
    for (const id of ["run-0", "run-29", "run-30", "run-59"]) {
      expect(await again.workflows.describe(id)).toMatchObject({ status: "completed" });
      const history = await Array.fromAsync(again.workflows.history(id));
      expect(history.map(({ path }) => path)).toEqual(["say#0"]);
    }
    expect(third.said.has("snapshot received")).toBe(false);
  });
});
