/**
 * A cluster for tests: real nodes, real Raft and the real workflow engine in one process, on virtual time, without ports and disk.
 *
 * K1. The same seed, program and faults give the same course: time, ids, randomness and the network come from the seed.
 * K2. Everything ends with {@link TestCluster.stop}; what a test leaves behind keeps no process alive.
 */
import { AssertionError } from "node:assert";
import { type NodeId, seededRng, silentLogger } from "@raftoral/raft-core";
import { InMemoryClusterTransport, type LinkFaults } from "@raftoral/transport-memory";
import {
  type Duration,
  durationMs,
  type ForeignAwait,
  type WorkflowContext,
  type WorkflowDefinition,
  type WorkflowExecutor,
} from "@raftoral/workflow";
import { CheckedWorkflows } from "../../api/checked-workflows.ts";
import type { Locks } from "../../api/locks/locks.ts";
import type { StreamChunk } from "../../api/streams.ts";
import type { Workflows } from "../../api/workflows.ts";
import type { NodeEvent } from "../../node/node-events.ts";
import { activeTrace } from "../../tracing/active-trace.ts";
import { type FaultAction, FaultPlan, type PlannedFault } from "../faults/fault-plan.ts";
import type { Moment } from "../faults/moment.ts";
import { observedEngine } from "../faults/observed-engine.ts";
import { installGuards, type PlatformUse } from "../guard/body-guard.ts";
import { BodyMisuse } from "../guard/body-misuse.ts";
import { unguardedLogger } from "../guard/unguarded-logger.ts";
import { TestSteps } from "../steps/test-steps.ts";
import { activeResources } from "../time/real-work.ts";
import { TestTime } from "../time/test-time.ts";
import { VirtualProcess, VirtualTime } from "../time/virtual-time.ts";
import { ClusterFaults, type Who } from "./cluster-faults.ts";
import { ClusterPort } from "./cluster-port.ts";
import { ClusterView } from "./cluster-view.ts";
import { RunWatch } from "./run-watch.ts";
import { seededUuid } from "./seeded-uuid.ts";
import { SignalDelays } from "./signal-delays.ts";
import { assertSameChunks } from "./stream-chunks.ts";
import type { TestClusterOptions } from "./test-cluster-options.ts";
import { TestNode } from "./test-node.ts";

const DEFAULT_START = "2026-01-01T00:00:00Z";
/** Longer than an election and the detection of a lost node take. */
const SETTLE_MS = 10_000;
const CALL_TIMEOUT_MS = 30_000;
const MAX_NODES = 7;

/** A cluster of 1 to 7 nodes for a test (K1, K2). Begin with {@link TestCluster.start}, end with {@link TestCluster.stop}. */
export class TestCluster {
  readonly seed: number;
  readonly time: TestTime;
  readonly steps = new TestSteps();
  /** Runs of the cluster: calls go to a node that is up, and move time until they settle. */
  readonly workflows: Workflows;
  /** Locks, semaphores, rate limiters and elections: those of `workflows`. Leases are renewed on virtual time. */
  readonly locks: Locks;
  /** What bodies used of the platform instead of their context. */
  readonly platformUses: readonly PlatformUse[];
  /** Bodies that awaited something that is not recorded while calls were open, each once, with the call that followed. */
  readonly foreignAwaits: readonly ForeignAwait[];
  readonly #nodes: readonly TestNode[];
  readonly #transport: InMemoryClusterTransport<WorkflowExecutor>;
  readonly #plan = new FaultPlan((promise) => this.time.drive(promise));
  readonly #watch: RunWatch;
  readonly #view: ClusterView;
  readonly #faults: ClusterFaults;
  readonly #signals: SignalDelays;
  readonly #uninstallGuards: () => void;
  readonly #virtual: VirtualTime;
  /** What belongs to no node: the network. */
  readonly #world: VirtualProcess;
  #isStopped = false;

  /** Starts all nodes. Resolves once they have a leader and know each other's workflows. */
  static async start(options: TestClusterOptions): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    try {
      await cluster.time.drive(Promise.all(cluster.#nodes.map((node) => node.start())));
      await cluster.time.untilIdle();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  private constructor(options: TestClusterOptions) {
    const {
      nodes = 3,
      seed = 1,
      workflows,
      startAt = DEFAULT_START,
      realWaitMs = 1_000,
      network,
      logger = silentLogger,
    } = options;
    if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES) {
      throw new RangeError(`A test cluster has 1 to ${MAX_NODES} nodes, not ${nodes}.`);
    }
    const startMs = new Date(startAt).getTime();
    if (Number.isNaN(startMs))
      throw new RangeError(`startAt is ${String(startAt)}, which is no date. Give an ISO 8601 text or a Date.`);
    this.seed = seed;
    const rng = seededRng(seed);
    const random = (): number => rng.below(0x1_0000_0000) / 0x1_0000_0000;
    this.#virtual = new VirtualTime({ startMs, settleMs: SETTLE_MS, isQuiet: () => this.#view.isQuiet() });
    this.#world = new VirtualProcess(this.#virtual);
    const resources = activeResources();
    const misuse = new BodyMisuse({
      failsOnPlatformUse: (options.onPlatformUse ?? "fail") === "fail",
      failsOnForeignAwait: (options.onForeignAwait ?? "fail") === "fail",
      tell: (what) => this.#watch.tell(what),
    });
    const nowMs = (): number => this.#virtual.nowMs;
    this.#watch = new RunWatch({ steps: this.steps, plan: this.#plan, nowMs, misuse });
    this.platformUses = misuse.platformUses;
    this.foreignAwaits = misuse.foreignAwaits;
    this.time = new TestTime({
      time: this.#virtual,
      hasRealWork: () => this.#watch.isStepUnderWay(realWaitMs) && activeResources() > resources,
      realWaitMs,
      stuck: (isHeld) => this.#stuck(isHeld),
    });
    this.#transport = new InMemoryClusterTransport<WorkflowExecutor>([], {
      clock: this.#world.clock,
      seed: rng.below(0x1_0000_0000),
      ...(network === undefined ? {} : { faults: network }),
    });
    this.#signals = new SignalDelays(this.#world.clock, random);
    const members = Array.from({ length: nodes }, (_, at) => ({ nodeId: at + 1, address: `node-${at + 1}:1` }));
    this.#nodes = members.map(({ nodeId }) => {
      const nodeRng = seededRng(rng.below(0x1_0000_0000));
      return new TestNode({
        nodeId,
        members,
        transport: this.#transport,
        time: this.#virtual,
        workflows: typeof workflows === "function" ? workflows(nodeId) : workflows,
        options: { ...options.nodeOptions, logger: unguardedLogger(logger) },
        interceptorOf: (id, process) => this.#watch.interceptorOf(id, process),
        wrapEngine: (engine, process) => observedEngine(engine, process, this.#watch),
        random: () => nodeRng.below(0x1_0000_0000) / 0x1_0000_0000,
        uuid: () => seededUuid(nodeRng),
        heard: (from, event) => this.#heard(from, event),
      });
    });
    this.#view = new ClusterView(this.#nodes, this.#transport, this.#watch);
    this.#faults = new ClusterFaults({
      nodes: this.#nodes,
      transport: this.#transport,
      time: this.time,
      virtual: this.#virtual,
      world: this.#world,
      watch: this.#watch,
      view: this.#view,
    });
    const idRng = seededRng(rng.below(0x1_0000_0000));
    const port = new ClusterPort({
      time: this.time,
      nodes: () => this.#view.askable(),
      untilUp: () => this.#view.untilUp(),
      delaySignal: (request) => this.#signals.delay(request),
    });
    this.workflows = new CheckedWorkflows({
      port,
      operations: port,
      timeoutMs: CALL_TIMEOUT_MS,
      uuid: () => seededUuid(idRng),
      clock: this.#world.clock,
      activeTrace,
    });
    this.locks = this.workflows.locks;
    this.#uninstallGuards = installGuards();
    void this.#transport.start();
  }

  /** The virtual time of the start, and what happened since, in order: for stories of failed tests. */
  get story(): readonly string[] {
    return this.#watch.story;
  }

  /** All nodes, by id, whatever they are at present. */
  get nodes(): readonly TestNode[] {
    return this.#nodes;
  }

  /** A node by its id. */
  node(nodeId: NodeId): TestNode {
    return this.#faults.node(nodeId);
  }

  /** The node that leads, as the nodes that are up see it. Undefined while there is none. */
  get leader(): TestNode | undefined {
    return this.#faults.leader;
  }

  /** The node that owns a run, as far as any node knows. Undefined while no node does. */
  ownerOf(runId: string): TestNode | undefined {
    return this.#faults.ownerOf(runId);
  }

  // Faults.

  /**
   * Plans a fault for a moment. `act` is called as the moment comes; kill, partition and the like take effect before anything of the moment goes
   * on.
   */
  at(moment: Moment, act: FaultAction): PlannedFault {
    return this.#plan.add(moment, act);
  }

  /** Ends a process at once, as SIGKILL would. `owner` needs the id of a run. */
  kill(who: Who, runId?: string): NodeId {
    return this.#faults.kill(who, runId);
  }

  /** Stops a node in order: it hands over its runs and leadership first. `owner` needs the id of a run. */
  stopNode(who: Who, runId?: string): Promise<NodeId> {
    return this.#faults.stop(who, runId);
  }

  /** Starts a node that was killed or stopped, with other code if `workflows` are given: a deploy. */
  startNode(nodeId: NodeId, workflows?: readonly WorkflowDefinition[]): Promise<void> {
    return this.#faults.start(nodeId, workflows);
  }

  /** Lets a node hand its runs over and execute nothing more, while it stays up. `owner` needs the id of a run. */
  drainNode(who: Who, runId?: string): Promise<NodeId> {
    return this.#faults.drain(who, runId);
  }

  /** Lets a node that was drained execute again. What it handed over stays where it is. */
  resumeNode(nodeId: NodeId): Promise<void> {
    return this.#faults.resume(nodeId);
  }

  /** Cuts nodes off from all others, both ways. */
  partition(...who: readonly (NodeId | "leader")[]): readonly NodeId[] {
    return this.#faults.partition(who, undefined);
  }

  /** Cuts the owner of a run off. */
  partitionOwner(runId: string): NodeId {
    const [owner = 0] = this.#faults.partition(["owner"], runId);
    return owner;
  }

  /** Undoes every partition. */
  heal(): void {
    this.#faults.heal();
  }

  /** Gives the leadership to another node. Rejects when that has not come about within 10 s of virtual time. */
  transferLeadership(to: NodeId): Promise<void> {
    return this.#faults.transferLeadership(to);
  }

  /** What a node writes from now on reaches its disk only when `duration` has passed, as with a disk that makes long pauses. `owner` needs the id of a run. */
  stallDisk(who: Who, duration: Duration, runId?: string): NodeId {
    return this.#faults.stallDisk(who, durationMs(duration), runId);
  }

  /** Loses, repeats, delays or reorders messages between nodes from now on. */
  setNetwork(faults: Partial<LinkFaults>): void {
    this.#faults.setNetwork(faults);
  }

  /**
   * Loses one message to each other node: the next one with entries that a node sends, which is a proposal to the leader, or what a leader appends to the others'
   * logs. Raft sends it again later. `owner` needs the id of a run.
   */
  loseNext(who: Who, runId?: string): NodeId {
    return this.#faults.loseNext(who, runId);
  }

  /** Holds every signal and every update back for a random time, so that they may overtake each other. Zero for both undoes it. */
  delaySignals(min: Duration, max: Duration): void {
    this.#signals.set(durationMs(min), durationMs(max));
  }

  /** Gives a run to another node that is up, in the middle of whatever it does. Resolves with that node; undefined when there is none. */
  moveRun(runId: string): Promise<NodeId | undefined> {
    return this.#faults.moveRun(runId);
  }

  /**
   * Takes the body of a run out of its owner's memory as soon as the body rests: every open call of it is a sleep or a wait. It runs again from its record when something
   * happens to the run. Resolves with whether the body has left; with false when the run has no body at the moment, or the body is over first. Does not move time itself.
   */
  evict(runId: string): Promise<boolean> {
    return this.#faults.evict(runId);
  }

  /** Resolves when so much virtual time has passed, in milliseconds. Does not move time itself. */
  after(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#world.clock.after(delayMs, resolve);
    });
  }

  /** Adds a line to the story. */
  tell(what: string): void {
    this.#watch.tell(what);
  }

  // Assertions.

  /** How many context calls the latest body of a run has made, and how many records were proposed for the run. */
  counts(runId: string): { readonly calls: number; readonly commits: number } {
    return this.#watch.countsOf(runId);
  }

  /**
   * Whether the node of a body has heard that the run is another's: from then on nothing that the body asked for may settle. Takes the context of the
   * body.
   */
  hasLost(body: Pick<WorkflowContext, "runId" | "nodeId" | "fencingToken">): boolean {
    return this.#watch.hasLost(body.runId, body.nodeId, body.fencingToken);
  }

  /** Bodies that began for a run: one, and one more for each takeover. A body that comes back into memory is the same one. */
  bodies(runId: string): number {
    return this.#watch.bodiesOf(runId);
  }

  /** Throws an AssertionError if the body of a run began more than `times` times. */
  assertBodyRanAtMost(runId: string, times: number): void {
    const actual = this.bodies(runId);
    if (actual <= times) return;
    const message = `The body of run ${runId} was to run at most ${times} times and ran ${actual} times.\n${this.story.join("\n")}`;
    throw new AssertionError({ message, actual, expected: times, operator: "assertBodyRanAtMost" });
  }

  /**
   * Throws an AssertionError unless the run has ended once, no path is recorded twice, no step's function ran after its record was committed, and all
   * nodes that are up agree.
   */
  async assertRecordedOnce(runId: string): Promise<void> {
    await this.time.untilIdle();
    const problems = this.#watch.problemsOf(runId);
    const records = new Set<string>();
    for (const node of this.#view.up())
      if (this.#view.isReached(node.nodeId)) records.add(await this.#recordOn(node, runId));
    if (records.size > 1) problems.push(`nodes differ:\n${[...records].join("\n")}`);
    if (problems.length === 0) return;
    throw new AssertionError({
      message: `Run ${runId}: ${problems.join("; ")}.\n${this.story.join("\n")}`,
      operator: "assertRecordedOnce",
    });
  }

  /**
   * Throws an AssertionError unless all nodes that are up have the same chunks of a stream, with `expected` as their values if that is given. Resolves with
   * the chunks. Streams are read with `workflows.stream`, too.
   */
  async assertChunks(runId: string, stream: string, expected?: readonly unknown[]): Promise<readonly StreamChunk[]> {
    await this.time.untilIdle();
    const nodes = this.#view.up().filter(({ nodeId }) => this.#view.isReached(nodeId));
    return assertSameChunks(nodes, { runId, stream, expected });
  }

  /** Ends every process. Idempotent. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#uninstallGuards();
    for (const node of this.#nodes) node.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** A run as a node has applied it, as text that is equal only where everything is. */
  async #recordOn({ inside }: TestNode, runId: string): Promise<string> {
    const run = await inside?.engine.run(runId);
    return JSON.stringify(run, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
    );
  }

  #heard(nodeId: NodeId, event: NodeEvent): void {
    // A node that is cut off stands for election again and again, which leads to nothing.
    if (this.#view.isReached(nodeId)) this.#virtual.activity();
    this.#watch.heard(nodeId, event);
  }

  #stuck(isHeld: boolean): Error {
    const waits = this.#watch.waits.join("\n") || "no run waits for anything";
    const advice = isHeld
      ? "The test moves time itself since it called advance or toNextTimer: let more time pass, or call time.release()."
      : "Send what the runs wait for, start more nodes, or look for a promise in a body that nothing settles.";
    return new Error(
      `Nothing is left that could settle this call. ${advice}\n${waits}\n${this.story.slice(-30).join("\n")}`,
    );
  }
}
