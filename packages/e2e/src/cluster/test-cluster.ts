/**
 * A cluster of real processes with gRPC and LMDB, for one group of tests: started, asked, broken and cleaned up.
 *
 * Node ids are 1 to n as given in `members`; nodes that join later get theirs from the cluster.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NodeSettings, type NodeStatus, RaftoralClient } from "raftoral";
import { eventually, freeAddresses, NodeProcess, WorkLog } from "../harness/index.ts";
import type { WorkflowNodeSettings } from "../programs/workflow-node.ts";

const ELECTION_MS = 15_000;
const CATCH_UP_MS = 20_000;

interface Place {
  readonly nodeId: number;
  readonly address: string;
  readonly settings: WorkflowNodeSettings;
  readonly logFile: string;
}

export class TestCluster {
  readonly workLog: WorkLog;
  readonly #folder: string;
  readonly #places = new Map<number, Place>();
  readonly #processes = new Map<number, NodeProcess>();
  readonly #pinned = new Map<number, RaftoralClient>();

  /** `size` nodes that know each other beforehand, with a leader and their workflows registered. */
  static async start(size: number): Promise<TestCluster> {
    const cluster = new TestCluster();
    try {
      const addresses = await freeAddresses(size);
      const members = addresses.map((address, i) => ({ nodeId: i + 1, address }));
      for (const { nodeId, address } of members) {
        cluster.#addPlace(nodeId, address, { listen: address, members, nodeId });
      }
      await Promise.all(members.map(({ nodeId }) => cluster.startNode(nodeId)));
      await cluster.leader();
      // A run started on a node that has not registered yet would go to another one.
      await Promise.all(members.map(({ nodeId }) => cluster.#executes(nodeId)));
      return cluster;
    } catch (error) {
      cluster.showLogs();
      await cluster.end();
      throw error;
    }
  }

  private constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "raftoral-e2e-"));
    this.workLog = new WorkLog(this.#workLogFile);
  }

  /** Ids of all nodes that were ever started, running or not. */
  get nodeIds(): readonly number[] {
    return [...this.#places.keys()];
  }

  get addresses(): readonly string[] {
    return [...this.#places.values()].map(({ address }) => address);
  }

  address(nodeId: number): string {
    return this.#place(nodeId).address;
  }

  process(nodeId: number): NodeProcess {
    const process = this.#processes.get(nodeId);
    if (process === undefined) throw new Error(`node ${nodeId} was never started`);
    return process;
  }

  /** Starts a node, again if it ran before: with the same folder at the same address. */
  async startNode(nodeId: number): Promise<void> {
    const place = this.#place(nodeId);
    this.#processes.set(nodeId, await this.#spawn(place));
  }

  /** Starts a node that joins the cluster, and resolves with the id it got. */
  async join(): Promise<number> {
    const [address = ""] = await freeAddresses(1);
    // The id is not known yet: folder and log are named by the address.
    const name = `joining-${address.replace(/\W/g, "-")}`;
    const place = this.#newPlace(0, name, address, { listen: address, join: this.addresses });
    const process = await this.#spawn(place);
    const { nodeId } = process;
    this.#places.set(nodeId, { ...place, nodeId });
    this.#processes.set(nodeId, process);
    return nodeId;
  }

  async kill(...nodeIds: readonly number[]): Promise<void> {
    await Promise.all(nodeIds.map((nodeId) => this.process(nodeId).kill()));
  }

  /** A client that asks this node and no other. */
  async client(nodeId: number): Promise<RaftoralClient> {
    const known = this.#pinned.get(nodeId);
    if (known !== undefined) return known;
    const client = await RaftoralClient.connect(this.address(nodeId), { pinned: true });
    this.#pinned.set(nodeId, client);
    return client;
  }

  async status(nodeId: number): Promise<NodeStatus> {
    return (await this.client(nodeId)).status({ timeoutMs: 2_000 });
  }

  /** Who leads, once one node says of itself that it does. */
  leader(): Promise<number> {
    return eventually(ELECTION_MS, "a leader", async () => {
      const answers = await Promise.allSettled(this.#running().map((nodeId) => this.status(nodeId)));
      const leading = answers.flatMap((answer) =>
        answer.status === "fulfilled" && answer.value.role === "leader" ? [answer.value] : [],
      );
      return leading.sort((a, b) => b.term - a.term)[0]?.nodeId;
    });
  }

  /** Resolves when the node has applied everything that was committed anywhere when this was called. */
  async caughtUp(nodeId: number): Promise<void> {
    const { commit } = await this.status(await this.leader());
    await eventually(CATCH_UP_MS, `node ${nodeId} to apply #${commit}`, async () => {
      return (await this.status(nodeId)).applied >= commit;
    });
  }

  /** The end of every node's log, for a test that failed. */
  showLogs(): void {
    for (const process of this.#processes.values()) {
      console.error(`---- end of the log of ${process.name} (process ${process.pid})\n${process.logTail()}`);
    }
  }

  /** Ends every process and removes every file. */
  async end(): Promise<void> {
    for (const client of this.#pinned.values()) client.close();
    await Promise.all([...this.#processes.values()].map((process) => process.kill()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #executes(nodeId: number): Promise<void> {
    const client = await this.client(nodeId);
    await eventually(ELECTION_MS, `node ${nodeId} to execute what it is asked`, async () => {
      const id = `probe-${nodeId}-${performance.now()}`;
      await client.startWorkflow("tally", { steps: 0, stepMs: 0 }, { id, timeoutMs: 2_000 });
      return (await client.getRun(id)).owner === nodeId;
    });
  }

  #running(): readonly number[] {
    return [...this.#processes].filter(([, process]) => process.isRunning).map(([nodeId]) => nodeId);
  }

  #addPlace(nodeId: number, address: string, node: NodeSettings): void {
    this.#places.set(nodeId, this.#newPlace(nodeId, `node-${nodeId}`, address, node));
  }

  #newPlace(nodeId: number, name: string, address: string, node: NodeSettings): Place {
    const dataDir = join(this.#folder, name);
    mkdirSync(dataDir);
    const settings = { node: { ...node, dataDir }, workLogFile: this.#workLogFile };
    return { nodeId, address, settings, logFile: join(this.#folder, `${name}.log`) };
  }

  #spawn({ address, settings, logFile }: Place): Promise<NodeProcess> {
    return NodeProcess.start({
      name: `the node at ${address}`,
      program: join(import.meta.dirname, "..", "programs", "workflow-node.ts"),
      settings,
      logFile,
      fromSources: process.env.RAFTORAL_TEST_DIST !== "1",
    });
  }

  #place(nodeId: number): Place {
    const place = this.#places.get(nodeId);
    if (place === undefined) throw new Error(`there is no node ${nodeId}`);
    return place;
  }

  get #workLogFile(): string {
    return join(this.#folder, "work.log");
  }
}
