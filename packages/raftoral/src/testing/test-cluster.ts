/** Clusters inside a test's process, on either transport, with fast timing and everything closed at the end. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InMemoryClusterTransport } from "@raftoral/transport-memory";
import type { WorkflowDefinition, WorkflowExecutor } from "@raftoral/workflow";
import type { NodeEvent } from "../node/node-events.ts";
import { RaftoralNode, type RaftoralNodeOptions, waitsOf } from "../node/raftoral-node.ts";
import { MemoryNodeStorage } from "../node/storage/node-storage.ts";

/** Which transport and storage the nodes of a cluster use. */
export type Kind = "memory" | "grpc";

/** Where a node keeps its state between two starts. */
type Place = Pick<RaftoralNodeOptions, "storage" | "dataDir">;

const TIMING = { tickMs: 20 };
const WAIT_MS = 10_000;

/** A cluster of RaftoralNodes in the test's process. `dispose` ends all that it started. */
export class TestCluster {
  readonly kind: Kind;
  readonly workflows: readonly WorkflowDefinition[];
  readonly #folder: string;
  readonly #transport: InMemoryClusterTransport<WorkflowExecutor> | undefined;
  readonly #nodes = new Set<RaftoralNode>();
  readonly #options: Partial<RaftoralNodeOptions>;
  /** Where the nodes keep their state, in the order of their first start. */
  readonly places: Place[] = [];

  /** Makes a cluster without nodes. `options` are those of every node, unless a start gives others. */
  static async create(
    kind: Kind,
    workflows: readonly WorkflowDefinition[],
    options: Partial<RaftoralNodeOptions> = {},
  ): Promise<TestCluster> {
    const folder = await mkdtemp(join(tmpdir(), "raftoral-"));
    const transport = kind === "memory" ? new InMemoryClusterTransport<WorkflowExecutor>([]) : undefined;
    await transport?.start();
    return new TestCluster(kind, workflows, folder, transport, options);
  }

  private constructor(
    kind: Kind,
    workflows: readonly WorkflowDefinition[],
    folder: string,
    transport: InMemoryClusterTransport<WorkflowExecutor> | undefined,
    options: Partial<RaftoralNodeOptions>,
  ) {
    this.#options = options;
    this.kind = kind;
    this.workflows = workflows;
    this.#folder = folder;
    this.#transport = transport;
  }

  /** Calls that wait for a run to end, on all nodes. */
  get waiting(): number {
    return [...this.#nodes].reduce((sum, node) => sum + waitsOf(node), 0);
  }

  /** A new place for one node's state. */
  place(): Place {
    const place =
      this.kind === "memory"
        ? { storage: new MemoryNodeStorage() }
        : { dataDir: join(this.#folder, String(this.places.length + 1)) };
    this.places.push(place);
    return place;
  }

  /** Starts a node; what is not given is a fast default for this kind of cluster. */
  async start(options: Partial<RaftoralNodeOptions>): Promise<RaftoralNode> {
    const node = await RaftoralNode.start({
      listen: this.kind === "memory" ? `node-${this.places.length}:1` : "127.0.0.1:0",
      workflows: this.workflows,
      timing: TIMING,
      stopTimeoutMs: 4_000,
      joinTimeoutMs: WAIT_MS,
      ...(this.#transport === undefined ? {} : { transport: this.#transport }),
      ...this.#options,
      ...options,
    });
    this.#nodes.add(node);
    return node;
  }

  /** A cluster of `count` voters: one bootstrapped, the others joined one after the other, each through the one before. */
  async form(count: number): Promise<{ readonly nodes: RaftoralNode[]; readonly places: Place[] }> {
    const nodes: RaftoralNode[] = [];
    const places: Place[] = [];
    for (let i = 0; i < count; i++) {
      const place = this.place();
      const before = nodes.at(-1);
      places.push(place);
      nodes.push(
        await this.start({ ...place, ...(before === undefined ? { bootstrap: true } : { join: before.address }) }),
      );
    }
    return { nodes, places };
  }

  /** Stops every node that still runs and deletes what they kept. */
  async dispose(): Promise<void> {
    await Promise.all([...this.#nodes].map((node) => node.stop({ timeoutMs: 1 })));
    await this.#transport?.shutdown();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Resolves when `isSo` holds, looked at whenever something happens to the node. Rejects after ten seconds. */
export async function until(node: RaftoralNode, isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  let isLate = false;
  let wake = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    isLate = true;
    wake.resolve();
  }, WAIT_MS);
  const stop = node.on(() => wake.resolve());
  try {
    for (;;) {
      const { promise } = wake;
      if (await isSo()) return;
      if (isLate) throw new Error(`not within ${WAIT_MS} ms: ${what}`);
      await promise;
      wake = Promise.withResolvers();
    }
  } finally {
    clearTimeout(timer);
    stop();
  }
}

/** The node that leads, as it says itself. Throws when none does. */
export async function leaderOf(nodes: readonly RaftoralNode[]): Promise<RaftoralNode> {
  for (const node of nodes) if ((await node.cluster.status()).role === "leader") return node;
  throw new Error("no node leads");
}

/** The first event that `matches`. Rejects after ten seconds. */
export function nextEvent(node: RaftoralNode, matches: (event: NodeEvent) => boolean): Promise<NodeEvent> {
  const { promise, resolve, reject } = Promise.withResolvers<NodeEvent>();
  const timer = setTimeout(() => reject(new Error(`no such event within ${WAIT_MS} ms`)), WAIT_MS);
  const stop = node.on((event) => {
    if (matches(event)) resolve(event);
  });
  return promise.finally(() => {
    clearTimeout(timer);
    stop();
  });
}
