// @module-tag slow

// Nodes that come back at new addresses at the same time: no majority knows where it is, and it finds itself all the same.
import { workflow } from "@raftoral/workflow";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestCluster, until } from "../../testing/test-cluster.ts";
import type { RaftoralNode } from "../raftoral-node.ts";

const greet = workflow("greet", { version: 1 }, async (_ctx, name: string) => `hello ${name}`);
const TEST_MS = 30_000;

let cluster: TestCluster;
beforeEach(async () => {
  cluster = await TestCluster.create("grpc", [greet]);
});
afterEach(() => cluster.dispose());

async function stopAll(nodes: readonly RaftoralNode[]): Promise<void> {
  await Promise.all(nodes.map((node) => node.stop({ timeoutMs: 1 })));
}

/** Every node has a leader and the present address of every other. */
async function expectTogether(nodes: readonly RaftoralNode[]): Promise<void> {
  const places = nodes.map(({ nodeId, address }) => `${nodeId} at ${address}`);
  for (const node of nodes) {
    const knows = async (): Promise<boolean> => {
      const { leader, members } = await node.cluster.status();
      const known = members.map(({ nodeId, address }) => `${nodeId} at ${address}`);
      return leader !== 0 && places.every((place) => known.includes(place));
    };
    await until(node, knows, `node ${node.nodeId} to know ${places.join(", ")}`);
    expect(await (await node.workflows.start(greet, "all")).result()).toBe("hello all");
  }
}

test("two of three that moved are found by what they say to the third", { timeout: TEST_MS }, async () => {
  const { nodes, places } = await cluster.form(3);
  const [first] = nodes as [RaftoralNode];
  await stopAll(nodes.slice(1));
  const moved = await Promise.all(places.slice(1).map((place) => cluster.start({ ...place })));
  await expectTogether([first, ...moved]);
});

test("two of three that moved, without the third, are found at the addresses of their options", {
  timeout: TEST_MS,
}, async () => {
  const { nodes, places } = await cluster.form(3);
  // A configuration that a node has not applied before it stops is not in force when it starts again.
  await expectTogether(nodes);
  await stopAll(nodes);
  const second = await cluster.start({ ...places[1] });
  const third = await cluster.start({ ...places[2], join: second.address });
  await expectTogether([second, third]);
  // The last one comes back somewhere else, too, and is told by any of the two.
  const first = await cluster.start({ ...places[0], join: [third.address] });
  await expectTogether([first, second, third]);
});
