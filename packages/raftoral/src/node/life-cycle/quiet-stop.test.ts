// @module-tag slow

// A stop in order is nothing to warn of: not in the log of the node that stops, and with no stack in those of the others.
import type { Logger } from "@raftoral/raft-core";
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Kind, leaderOf, TestCluster } from "../../testing/test-cluster.ts";
import type { RaftoralNode } from "../raftoral-node.ts";

const TEST_MS = 30_000;
const waiting = workflow("waiting", { version: 1 }, async (ctx) => ctx.waitFor("never"));

interface Line {
  readonly level: "warn" | "error";
  readonly text: string;
  readonly hasStack: boolean;
}

describe.each<Kind>(["memory", "grpc"])("over %s", (kind) => {
  let cluster: TestCluster;
  let nodes: RaftoralNode[];
  let logs: Line[][];

  /** Three nodes with runs that wait on all of them, and what they log from now on. */
  beforeEach(async () => {
    cluster = await TestCluster.create(kind, [waiting]);
    nodes = [];
    logs = [];
    for (let count = 0; count < 3; count += 1) {
      const log: Line[] = [];
      const note = (level: Line["level"]) => (fields: object, text: string) => {
        log.push({ level, text, hasStack: Object.values(fields).some((value) => value instanceof Error) });
      };
      const logger: Logger = { debug: () => {}, info: () => {}, warn: note("warn"), error: note("error") };
      const how = nodes.length === 0 ? { bootstrap: true } : { join: nodes[0]?.address ?? "" };
      nodes.push(await cluster.start({ ...cluster.place(), ...how, logger }));
      logs.push(log);
    }
    for (let n = 0; n < 6; n += 1) await nodes[n % 3]?.workflows.start(waiting, undefined, { runId: `r${n}` });
    for (const log of logs) log.length = 0;
  }, TEST_MS);
  afterEach(() => cluster.dispose());

  const logOf = (node: RaftoralNode): Line[] => logs[nodes.indexOf(node)] ?? [];

  test.each(["leader", "follower"])("the %s of three stops", { timeout: TEST_MS }, async (role) => {
    const leader = await leaderOf(nodes);
    const going = role === "leader" ? leader : (nodes.find((node) => node !== leader) ?? leader);
    await going.stop();
    expect(logOf(going)).toEqual([]);
    expect(logs.flat().filter(({ hasStack }) => hasStack)).toEqual([]);
  });

  test("all stop, one after the other", { timeout: TEST_MS }, async () => {
    for (const node of nodes) {
      await node.stop();
      expect(logOf(node).filter(({ hasStack }) => hasStack)).toEqual([]);
    }
  });

  test("all stop at once", { timeout: TEST_MS }, async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    expect(logs.flat().filter(({ hasStack }) => hasStack)).toEqual([]);
  });
});
