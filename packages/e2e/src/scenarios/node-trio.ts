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

/** Three nodes for one scenario. `end` stops them. */
export class NodeTrio {
  readonly workLog: WorkLog;
  readonly #nodes: RaftoralNode[] = [];
  readonly #folder: string;
  readonly #transport: WorkflowTransport | undefined;

  static async start(network: NodeNetwork): Promise<NodeTrio> {
    const trio = new NodeTrio(network.transport());
    try {
      await trio.#start();
      return trio;
    } catch (error) {
      await trio.end();
      throw error;
    }
  }

  private constructor(transport: WorkflowTransport | undefined) {
    this.#transport = transport;
    this.#folder = mkdtempSync(join(tmpdir(), "raftoral-e2e-trio-"));
    this.workLog = new WorkLog(join(this.#folder, "work.log"));
  }

  /** By id. */
  get nodes(): readonly RaftoralNode[] {
    return [...this.#nodes].sort((a, b) => a.nodeId - b.nodeId);
  }

  async end(): Promise<void> {
    // Without waiting for anybody to take over: all of them stop.
    await Promise.all(this.#nodes.map((node) => node.stop({ timeoutMs: 1 })));
    await this.#transport?.shutdown();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    const transport = this.#transport;
    const members = (await freeAddresses(3)).map((address, i) => ({ nodeId: i + 1, address }));
    for (const member of members) transport?.addNode(member);
    await transport?.start();
    const registered = new Set<number>();
    const starting = members.map(async ({ nodeId, address }) => {
      const node = await RaftoralNode.start({
        listen: address,
        members,
        nodeId,
        workflows: testWorkflows(this.workLog),
        timing: { tickMs: 20 },
        ...(transport === undefined ? {} : { transport }),
      });
      this.#nodes.push(node);
      node.on((event) => {
        if (event.type === "node-changed") registered.add(event.nodeId);
      });
    });
    await Promise.all(starting);
    await eventually(START_MS, "all nodes to register their workflows", () => registered.size === members.length);
  }
}
