// The three services: their processes, where they keep their data, how they are asked.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { copyOf, freeAddresses, NodeProcess, type RunCopy } from "@raftoral/e2e/harness";
import { type NodeEvent, RaftoralClient } from "raftoral";
import type { ClusterView } from "./cluster-view.ts";
import type { ServiceSettings } from "./service.ts";

export const SERVICE_COUNT = 3;

export interface Service {
  readonly nodeId: number;
  readonly address: string;
  readonly dataDir: string;
}

/** The processes of the three services: starts, kills and restarts them, and cleans up after them. */
export class Services {
  readonly all: readonly Service[];
  readonly workLogFile: string;
  /** Rejects when a service ends by itself. */
  readonly broken: Promise<never>;
  readonly #broken = Promise.withResolvers<never>();
  /** Services whose end is expected. */
  readonly #ending = new Set<number>();
  readonly #folder: string;
  readonly #view: ClusterView;
  readonly #processes = new Map<number, NodeProcess<NodeEvent>>();
  readonly #clients = new Map<number, RaftoralClient>();

  /** Finds ports and makes data folders below `folder`. Starts nothing. */
  static async prepare(folder: string, view: ClusterView): Promise<Services> {
    const addresses = await freeAddresses(SERVICE_COUNT);
    const all = addresses.map((address, i) => ({
      nodeId: i + 1,
      address,
      dataDir: join(folder, `service-${i + 1}`),
    }));
    for (const { dataDir } of all) await mkdir(dataDir, { recursive: true });
    return new Services(folder, all, view);
  }

  private constructor(folder: string, all: readonly Service[], view: ClusterView) {
    this.#folder = folder;
    this.all = all;
    this.workLogFile = join(folder, "work.log");
    this.#view = view;
    this.broken = this.#broken.promise;
    // Looked at only while the story runs.
    this.broken.catch(() => {});
  }

  /** Starts, or starts again, a service's process. */
  async start(service: Service): Promise<void> {
    const { nodeId, dataDir } = service;
    const members = this.all.map((other) => ({ nodeId: other.nodeId, address: other.address }));
    const settings: ServiceSettings = { nodeId, members, dataDir, workLogFile: this.workLogFile };
    this.#view.nodeIsUp(nodeId);
    this.#ending.delete(nodeId);
    const process = await NodeProcess.start<NodeEvent>({
      name: `service ${nodeId}`,
      program: join(import.meta.dirname, "service.ts"),
      settings,
      logFile: this.logFile(nodeId),
      onNote: (event) => this.#view.hear(nodeId, event),
    });
    this.#processes.set(nodeId, process);
    void process.exited.then(({ code, signal }) => {
      this.#view.nodeIsDown(nodeId);
      if (this.#ending.has(nodeId)) return;
      const how = signal ?? `exit code ${code}`;
      this.#broken.reject(new Error(`service ${nodeId} ended by itself (${how}):\n${process.logTail()}`));
    });
  }

  pid(nodeId: number): number | undefined {
    return this.#processes.get(nodeId)?.pid;
  }

  logFile(nodeId: number): string {
    return join(this.#folder, `service-${nodeId}.log`);
  }

  /** SIGKILL: the process has no chance to say or write anything. Resolves when it is gone. */
  async kill(nodeId: number): Promise<void> {
    this.#ending.add(nodeId);
    await this.#processes.get(nodeId)?.kill();
    this.#clients.get(nodeId)?.close();
    this.#clients.delete(nodeId);
  }

  /** A client that asks this service and no other, as one of its users would. */
  async client(nodeId: number): Promise<RaftoralClient> {
    const known = this.#clients.get(nodeId);
    if (known !== undefined) return known;
    const client = await RaftoralClient.connect(this.#address(nodeId), { pinned: true });
    this.#clients.set(nodeId, client);
    return client;
  }

  /** A run with its record, as this service holds it. */
  async run(nodeId: number, id: string): Promise<RunCopy> {
    return copyOf((await this.client(nodeId)).workflows, id);
  }

  /** Ends every process at once. */
  async end(): Promise<void> {
    for (const { nodeId } of this.all) this.#ending.add(nodeId);
    for (const client of this.#clients.values()) client.close();
    await Promise.all([...this.#processes.values()].map((process) => process.kill()));
  }

  #address(nodeId: number): string {
    const service = this.all.find((candidate) => candidate.nodeId === nodeId);
    if (service === undefined) throw new Error(`there is no service ${nodeId}`);
    return service.address;
  }
}
