/**
 * A cluster of real processes with gRPC and LMDB, for one group of tests: started, asked, broken and cleaned up.
 *
 * Node ids are 1 to n as given in `members`; nodes that join later get theirs from the cluster.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { env } from "node:process";
import { seededRng } from "@raftoral/raft-core";
import { type NodeSettings, type NodeStatus, RaftoralClient } from "raftoral";
import { eventually, freeAddresses, NodeProcess, WorkLog } from "../harness/index.ts";
import type { NetLab } from "../namespaces/net-lab.ts";
import { FaultNetwork } from "../network/fault-network.ts";
import type { ClockShift } from "../programs/shifted-clock.ts";
import type { NodeQuestion, WorkflowNodeSettings } from "../programs/workflow-node.ts";

const ELECTION_MS = 15_000;
const CATCH_UP_MS = 20_000;
const ANSWER_MS = 5_000;

export interface TestClusterOptions {
  /** A seed puts a network between the nodes that can fail; without one they reach each other directly. */
  readonly networkSeed?: number;
  /** Each node in a network namespace of its own, at a host of its own. */
  readonly lab?: Pick<NetLab, "host" | "within">;
  /** Gives each node a group of registers, beside its workflows. */
  readonly registers?: boolean;
  /** For all nodes, over the defaults. */
  readonly settings?: Partial<NodeSettings>;
  /** Where a node keeps its data, instead of a folder of the cluster's. */
  readonly dataDirs?: ReadonlyMap<number, string>;
}

interface Place {
  readonly nodeId: number;
  readonly address: string;
  readonly settings: WorkflowNodeSettings;
  readonly logFile: string;
}

/** A cluster of processes. `end` ends the processes and removes their folder. */
export class TestCluster {
  readonly workLog: WorkLog;
  /** Processes that ended by themselves, and how. */
  readonly crashes: string[] = [];
  readonly #folder: string;
  readonly #places = new Map<number, Place>();
  readonly #processes = new Map<number, NodeProcess>();
  readonly #pinned = new Map<number, RaftoralClient>();
  readonly #options: TestClusterOptions;
  #network: FaultNetwork | undefined;

  /** `size` nodes that know each other beforehand, with a leader and their workflows registered. */
  static async start(size: number, options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    try {
      const { lab } = options;
      const addresses = (await freeAddresses(2 * size)).map((address, i) =>
        lab === undefined ? address : address.replace(/^.*:/, `${lab.host((i % size) + 1)}:`),
      );
      const members = addresses.slice(0, size).map((address, i) => ({ nodeId: i + 1, address }));
      const registers = addresses.slice(size).map((address, i) => ({ nodeId: i + 1, address }));
      if (options.networkSeed !== undefined) {
        const places = members.map(({ nodeId, address }, i) => ({
          nodeId,
          addresses: [address, registers[i]?.address ?? ""],
        }));
        cluster.#network = await FaultNetwork.open(places, seededRng(options.networkSeed));
      }
      for (const { nodeId, address } of members) {
        const place = cluster.#newPlace(nodeId, `node-${nodeId}`, address, { listen: address, members, nodeId });
        const settings: WorkflowNodeSettings = {
          ...place.settings,
          ...(cluster.#network && { routes: cluster.#network.routes(nodeId) }),
          ...(options.registers && { registers: { nodeId, members: registers } }),
        };
        cluster.#places.set(nodeId, { ...place, settings });
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

  private constructor(options: TestClusterOptions) {
    this.#options = options;
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

  /** Between the nodes. Throws when they were started without. */
  get network(): FaultNetwork {
    if (this.#network === undefined) throw new Error("the nodes of this cluster reach each other directly");
    return this.#network;
  }

  /** The processes that run now. */
  get running(): readonly NodeProcess[] {
    return [...this.#processes.values()].filter((process) => process.isRunning);
  }

  address(nodeId: number): string {
    return this.#place(nodeId).address;
  }

  dataDir(nodeId: number): string {
    return this.#place(nodeId).settings.node.dataDir;
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

  /** Starts a node that kills itself after so long, in the middle of its start perhaps. Resolves when it is dead. */
  async startDoomed(nodeId: number, diesAfterMs: number): Promise<void> {
    const place = this.#place(nodeId);
    try {
      const process = await this.#spawn({ ...place, settings: { ...place.settings, diesAfterMs } });
      await process.exited;
    } catch (error) {
      if (!String(error).includes("SIGKILL")) throw error;
    }
  }

  /** Starts a node that joins the cluster, at an address of its own unless one is given, and resolves with the id it got. */
  async join(at?: string): Promise<number> {
    const [address = ""] = at === undefined ? await freeAddresses(1) : [at];
    // The id is not known yet: folder and log are named by the address.
    const name = `joining-${address.replace(/\W/g, "-")}`;
    const place = this.#newPlace(0, name, address, {
      listen: address,
      join: this.addresses.filter((other) => other !== address),
    });
    const process = await this.#spawn(place);
    const { nodeId } = process;
    this.#places.set(nodeId, { ...place, nodeId });
    this.#processes.set(nodeId, process);
    return nodeId;
  }

  async kill(...nodeIds: readonly number[]): Promise<void> {
    await Promise.all(nodeIds.map((nodeId) => this.process(nodeId).kill()));
  }

  /** Sets a node's clock wrong. A node that is started again has a right one. */
  async shiftClock(nodeId: number, shift: ClockShift): Promise<void> {
    await this.process(nodeId).ask({ about: "clock", ...shift } satisfies NodeQuestion, ANSWER_MS);
  }

  /** A client that asks this node and no other. */
  async client(nodeId: number): Promise<RaftoralClient> {
    const known = this.#pinned.get(nodeId);
    if (known !== undefined) return known;
    const client = await RaftoralClient.connect(this.address(nodeId), { pinned: true, tls: false });
    this.#pinned.set(nodeId, client);
    return client;
  }

  async status(nodeId: number): Promise<NodeStatus> {
    return (await this.client(nodeId)).cluster.status({ timeoutMs: 2_000 });
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

  /** Ends every process and removes every file, unless they are to be kept. Resolves with their folder. */
  async end(files: "remove" | "keep" = "remove"): Promise<string> {
    for (const client of this.#pinned.values()) client.close();
    await Promise.all([...this.#processes.values()].map((process) => process.kill()));
    await this.#network?.close();
    if (files === "remove") rmSync(this.#folder, { recursive: true, force: true });
    return this.#folder;
  }

  async #executes(nodeId: number): Promise<void> {
    const client = await this.client(nodeId);
    await eventually(ELECTION_MS, `node ${nodeId} to execute what it is asked`, async () => {
      const id = `probe-${nodeId}-${performance.now()}`;
      await client.workflows.start("tally", { steps: 0, stepMs: 0 }, { runId: id, timeoutMs: 2_000 });
      return (await client.workflows.describe(id)).owner === nodeId;
    });
  }

  #running(): readonly number[] {
    return [...this.#processes].filter(([, process]) => process.isRunning).map(([nodeId]) => nodeId);
  }

  #newPlace(nodeId: number, name: string, address: string, node: NodeSettings): Place {
    const dataDir = this.#options.dataDirs?.get(nodeId) ?? join(this.#folder, name);
    mkdirSync(dataDir, { recursive: true });
    const settings = {
      node: { ...node, tls: false as const, ...this.#options.settings, dataDir },
      workLogFile: this.#workLogFile,
    };
    return { nodeId, address, settings, logFile: join(this.#folder, `${name}.log`) };
  }

  async #spawn({ nodeId, address, settings, logFile }: Place): Promise<NodeProcess> {
    const { lab } = this.#options;
    const name = `the node at ${address}`;
    const process = await NodeProcess.start({
      name,
      program: join(import.meta.dirname, "..", "programs", "workflow-node.ts"),
      settings,
      logFile,
      ...(lab && { within: lab.within(nodeId) }),
      fromSources: env.RAFTORAL_TEST_DIST !== "1",
    });
    void process.exited.then(({ code }) => {
      if (code !== null && code !== 0) this.crashes.push(`${name} ended with ${code}:\n${process.logTail()}`);
    });
    return process;
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
