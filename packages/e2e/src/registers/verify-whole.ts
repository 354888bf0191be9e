/** Takes every node's copy of the registers once it has all that was acknowledged, and verifies it. */
import type { History } from "@raftoral/simulation/linearizability";
import type { TestCluster } from "../cluster/test-cluster.ts";
import { eventually } from "../harness/index.ts";
import { askRegisters } from "./ask-registers.ts";
import type { Register } from "./register-command.ts";
import { type RegisterVerdict, verifyRegisters } from "./verify-registers.ts";

const WHOLE_MS = 60_000;
const READ_MS = 3_000;

/**
 * All clients must have stopped writing. Rejects when the nodes do not come to the same index in time, and when something that must
 * hold does not.
 */
export async function verifyWhole(cluster: TestCluster, history: History): Promise<RegisterVerdict> {
  const nodes = new Map(cluster.nodeIds.map((nodeId) => [nodeId, cluster.process(nodeId)]));
  const copies = await eventually(WHOLE_MS, "all nodes to have applied the same", async () => {
    const found = new Map<number, readonly Register[]>();
    const applied = new Set<number>();
    for (const node of nodes.values()) {
      await askRegisters.read(node, "", READ_MS);
      applied.add((await askRegisters.status(node)).applied);
    }
    if (applied.size !== 1) return undefined;
    for (const [nodeId, node] of nodes) found.set(nodeId, await askRegisters.copy(node));
    for (const node of nodes.values()) applied.add((await askRegisters.status(node)).applied);
    return applied.size === 1 && found;
  });
  return verifyRegisters(history, copies);
}
