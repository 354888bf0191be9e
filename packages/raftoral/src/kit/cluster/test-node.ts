/**
 * One node of a test cluster: storage that lasts, and a process on it that comes and goes.
 *
 * P1. A killed process does nothing more: its timers do not fire, nothing of it reaches the network, its proposals never settle. Functions of
 *     steps that are under way go on, as work that has left the process would.
 * P2. What a process had written is there for the next one.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { InMemoryClusterTransport } from "@raftoral/transport-memory";
import {
  PayloadCoder,
  type RuntimeInterceptor,
  type WorkflowDefinition,
  type WorkflowEngine,
  type WorkflowExecutor,
} from "@raftoral/workflow";
import type { NodeEvent } from "../../node/node-events.ts";
import type { NodeInside } from "../../node/node-plan.ts";
import { type RaftoralNode, type RaftoralNodeOptions, startNode } from "../../node/raftoral-node.ts";
import { VirtualProcess, type VirtualTime } from "../time/virtual-time.ts";
import { StallingStorage } from "./stalling-storage.ts";

/** What a node of a test cluster is made of. */
export interface TestNodeSetting {
  readonly nodeId: NodeId;
  readonly members: readonly { readonly nodeId: NodeId; readonly address: string }[];
  readonly transport: InMemoryClusterTransport<WorkflowExecutor>;
  readonly time: VirtualTime;
  readonly workflows: readonly WorkflowDefinition[];
  readonly options: Partial<RaftoralNodeOptions>;
  readonly interceptorOf: (nodeId: NodeId, process: VirtualProcess) => RuntimeInterceptor;
  readonly wrapEngine: (engine: WorkflowEngine, process: VirtualProcess) => WorkflowEngine;
  readonly random: () => number;
  readonly uuid: () => string;
  readonly heard: (nodeId: NodeId, event: NodeEvent) => void;
}

/** What a node of a test cluster is at present. */
export type TestNodeStatus = "starting" | "up" | "killed" | "stopped";

/** One node of a {@link TestCluster} (P1, P2): kill it, stop it, or start it again. */
export class TestNode {
  readonly nodeId: NodeId;
  readonly #setting: TestNodeSetting;
  readonly #storage = new StallingStorage();
  #workflows: readonly WorkflowDefinition[];
  #process: VirtualProcess | undefined;
  #node: RaftoralNode | undefined;
  #inside: NodeInside | undefined;
  #status: TestNodeStatus = "stopped";
  #up = Promise.withResolvers<void>();
  #ended = Promise.withResolvers<void>();
  #silent = Promise.withResolvers<void>();

  constructor(setting: TestNodeSetting) {
    this.nodeId = setting.nodeId;
    this.#setting = setting;
    this.#workflows = setting.workflows;
  }

  get status(): TestNodeStatus {
    return this.#status;
  }

  /** The node itself. Throws unless the node is up. Calls on it do not move time: give their promises to `cluster.time.drive`, or they wait for ever. */
  get node(): RaftoralNode {
    if (this.#node === undefined || this.#status !== "up") {
      throw new Error(`Node ${this.nodeId} is ${this.#status}. Start it first, or use another node.`);
    }
    return this.#node;
  }

  /** What the node consists of. Undefined unless the node is up. */
  get inside(): NodeInside | undefined {
    return this.#status === "up" ? this.#inside : undefined;
  }

  /** What decodes the values that the node's engine has. */
  get payloads(): PayloadCoder {
    return PayloadCoder.of(this.#setting.options.payloadCodec);
  }

  /** Resolves when the node is up, as soon as it is. */
  get up(): Promise<void> {
    return this.#up.promise;
  }

  /** Resolves when the present process has ended. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Resolves when the present process has ended, or is cut off from a majority. */
  get silent(): Promise<void> {
    return this.#silent.promise;
  }

  /** The process cannot reach a majority. */
  cutOff(): void {
    this.#silent.resolve();
    if (this.#process !== undefined) this.#setting.time.setAside(this.#process, true);
  }

  /** The process can be reached again. */
  reconnect(): void {
    // A call that waits for the silence of a node that was reached all the time goes on to do so.
    if (this.#process?.isAlive !== true || !this.#process.isAside) return;
    this.#silent = Promise.withResolvers();
    this.#setting.time.setAside(this.#process, false);
  }

  /** What the node writes from now on is durable once `until` has resolved. */
  stallDisk(until: Promise<void>): void {
    this.#storage.stall(until);
  }

  /** Starts a process, with other code if `workflows` are given: a deploy. Resolves when the node is up, or when the process has ended before that. */
  async start(workflows?: readonly WorkflowDefinition[]): Promise<void> {
    if (this.#status === "up" || this.#status === "starting") {
      throw new Error(`Node ${this.nodeId} is ${this.#status}. Kill or stop it first.`);
    }
    this.#workflows = workflows ?? this.#workflows;
    const { nodeId, members, transport, time, options, interceptorOf, wrapEngine, random, uuid, heard } = this.#setting;
    const member = members.find((one) => one.nodeId === nodeId);
    const process = new VirtualProcess(time);
    this.#process = process;
    this.#status = "starting";
    this.#ended = Promise.withResolvers();
    this.#silent = Promise.withResolvers();
    transport.network.bringUp(nodeId);
    const starting = startNode(
      {
        ...options,
        nodeId,
        members,
        listen: member?.address ?? "",
        transport,
        storage: this.#storage,
        clock: process.clock,
        workflows: this.#workflows,
      },
      {
        interceptor: interceptorOf(nodeId, process),
        environment: { random, uuid, randomBytes: (length) => Uint8Array.from({ length }, () => random() * 256) },
        programClock: process.programClock,
        wrapEngine: (engine) => wrapEngine(engine, process),
        assembled: (inside) => {
          this.#inside = inside;
        },
      },
    );
    starting.catch(() => {
      if (this.#process === process) this.kill();
    });
    const node = await Promise.race([starting, this.#ended.promise]);
    if (node === undefined || this.#process !== process || !process.isAlive) return;
    this.#node = node;
    this.#status = "up";
    this.#up.resolve();
    node.on((event) => {
      if (process.isAlive) heard(nodeId, event);
    });
  }

  /** Ends the process at once, as SIGKILL or a power cut would (P1). */
  kill(): void {
    if (this.#process === undefined || !this.#process.isAlive) return;
    this.#setting.transport.network.takeDown(this.nodeId);
    this.#process.end();
    this.#over("killed");
  }

  /** Stops the process in order: it hands its runs over first. */
  async stop(): Promise<void> {
    await this.node.stop();
    this.#process?.end();
    this.#setting.transport.network.takeDown(this.nodeId);
    this.#over("stopped");
  }

  #over(status: TestNodeStatus): void {
    this.#inside?.unlisten();
    // What the dead process had open on the network is gone with it.
    this.#setting.transport.removeNode(this.nodeId);
    this.#inside = undefined;
    this.#status = status;
    this.#up = Promise.withResolvers();
    this.#node = undefined;
    this.#ended.resolve();
    this.#silent.resolve();
  }
}
