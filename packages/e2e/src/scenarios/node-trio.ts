/** Three RaftoralNodes in this process that share a transport in memory or talk gRPC, and keep everything in memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InMemoryClusterTransport } from "@raftoral/transport-memory";
import type { WorkflowExecutor } from "@raftoral/workflow";
import { RaftoralNode, type WorkflowTransport } from "raftoral";
import { eventually, freeAddresses, WorkLog } from "../harness/index.ts";
import { testWorkflows } from "../programs/workflows.ts";

const START_MS = 15_000;

export interface NodeNetwork {
  readonly networkName: string;
  /** What the nodes share; `undefined` leaves them to gRPC. */
  readonly transport: () => WorkflowTransport | undefined;
}

export const NODE_NETWORKS: readonly NodeNetwork[] = [
  { networkName: "the in-memory transport", transport: () => new InMemoryClusterTransport<WorkflowExecutor>([]) },
  { networkName: "gRPC", transport: () => undefined },
];

export class NodeTrio {
  readonly nodes: readonly RaftoralNode[];
  readonly workLog: WorkLog;
  readonly #folder: string;
  readonly #transport: WorkflowTransport | undefined;

  static async start(network: NodeNetwork): Promise<NodeTrio> {
    const folder = mkdtempSync(join(tmpdir(), "raftoral-e2e-trio-"));
    const workLog = new WorkLog(join(folder, "work.log"));
    const transport = network.transport();
    const members = (await freeAddresses(3)).map((address, i) => ({ nodeId: i + 1, address }));
    for (const member of members) transport?.addNode(member);
    await transport?.start();
    const registered = new Set<number>();
    const nodes = await Promise.all(
      members.map(async ({ nodeId, address }) => {
        const node = await RaftoralNode.start({
          listen: address,
          members,
          nodeId,
          workflows: testWorkflows(workLog),
          timing: { tickMs: 20 },
          ...(transport === undefined ? {} : { transport }),
        });
        node.on((event) => {
          if (event.type === "node-changed") registered.add(event.nodeId);
        });
        return node;
      }),
    );
    const trio = new NodeTrio(nodes, workLog, folder, transport);
    await eventually(START_MS, "all nodes to register their workflows", () => registered.size === members.length);
    return trio;
  }

  private constructor(
    nodes: readonly RaftoralNode[],
    workLog: WorkLog,
    folder: string,
    transport: WorkflowTransport | undefined,
  ) {
    this.nodes = nodes;
    this.workLog = workLog;
    this.#folder = folder;
    this.#transport = transport;
  }

  async end(): Promise<void> {
    // Without waiting for anybody to take over: all of them stop.
    await Promise.all(this.nodes.map((node) => node.stop({ timeoutMs: 1 })));
    await this.#transport?.shutdown();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
