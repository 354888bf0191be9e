/**
 * A cluster without consensus: one log, applied to several executors in one process. For tests of everything above the log:
 * fast, and with faults on request. Commands and results cross as bytes and clones, as they would between threads.
 */
import { RaftError } from "@raftoral/raft-core";
import type { CommandResult, WorkflowCommand } from "../commands/registry.ts";
import { WorkflowExecutor } from "../executor.ts";
import { RaftWorkflowEngine } from "../runtime/engine/raft-workflow-engine.ts";

/** What becomes of a proposal, decided before it is made. */
export type ProposalFault = "none" | "lost" | "applied-but-unknown" | "refused";

/** A node of an {@link InProcessCluster}: its executor, its engine, and the faults that a test has set for it. */
export class InProcessNode {
  readonly nodeId: number;
  readonly executor = new WorkflowExecutor();
  readonly engine: RaftWorkflowEngine;
  /** False: hears nothing of the log, and its proposals fail. */
  connected = true;
  stopped = false;
  applied = 0;
  fault: (command: WorkflowCommand) => ProposalFault = () => "none";
  barriers: { readonly index: number; readonly resolve: (index: number) => void }[] = [];
  readonly pending = new Map<number, (result: CommandResult) => void>();

  constructor(nodeId: number, cluster: InProcessCluster) {
    this.nodeId = nodeId;
    this.engine = new RaftWorkflowEngine({
      nodeId,
      executor: this.executor,
      cluster: {
        propose: (command) => cluster.propose(this, command),
        readIndex: () => cluster.caughtUp(this),
      },
    });
  }
}

/** The log and its nodes. A proposal is appended at once, and applied on every connected node in a later turn of the event loop. `lead` names the leader. */
export class InProcessCluster {
  readonly nodes = new Map<number, InProcessNode>();
  readonly log: Uint8Array[] = [];
  #leader = 0;
  #flushing = false;
  #term = 0;

  constructor(nodeIds: readonly number[] = [1, 2, 3]) {
    for (const nodeId of nodeIds) this.nodes.set(nodeId, new InProcessNode(nodeId, this));
  }

  node(nodeId: number): InProcessNode {
    const node = this.nodes.get(nodeId);
    if (node === undefined) throw new Error(`no node ${nodeId}`);
    return node;
  }

  lead(nodeId: number): void {
    this.#leader = nodeId;
    this.#term += 1;
    const members = [...this.nodes.keys()];
    for (const node of this.nodes.values()) {
      if (node.stopped) continue;
      node.executor.membersChanged(members);
      node.executor.leaderChanged({ leader: nodeId, term: this.#term, isLocal: node.nodeId === nodeId });
    }
  }

  /** The process is gone. Its runtime is the test's to stop. */
  kill(nodeId: number): void {
    const node = this.node(nodeId);
    node.stopped = true;
    if (this.#leader === nodeId) this.#leader = 0;
  }

  /** What the leader's failure detector says. */
  reportLost(nodeId: number): void {
    this.node(this.#leader).executor.nodeLost(nodeId);
  }

  reportReturned(nodeId: number): void {
    this.node(this.#leader).executor.nodeReturned(nodeId);
  }

  /** A new process of a node, with nothing applied yet: it replays the log, or starts from another node's snapshot. */
  async restart(nodeId: number, options: { readonly fromSnapshotOf?: number } = {}): Promise<InProcessNode> {
    const node = new InProcessNode(nodeId, this);
    if (options.fromSnapshotOf !== undefined) await this.#install(node, this.node(options.fromSnapshotOf));
    this.nodes.set(nodeId, node);
    this.#flushSoon();
    return node;
  }

  /** Brings a node up to date by a snapshot instead of the log. */
  async installSnapshot(nodeId: number, from: number): Promise<void> {
    await this.#install(this.node(nodeId), this.node(from));
    this.#flushSoon();
  }

  reconnect(nodeId: number): void {
    this.node(nodeId).connected = true;
    this.#flushSoon();
  }

  propose(from: InProcessNode, command: WorkflowCommand): Promise<CommandResult> {
    const data = from.executor.encode(structuredClone(command));
    if (from.stopped) return Promise.reject(new RaftError("NODE_STOPPED", "stopped"));
    const fault = from.connected ? from.fault(command) : "lost";
    if (fault === "lost") return Promise.reject(new RaftError("DEADLINE_EXCEEDED", "lost", { retryable: true }));
    if (fault === "refused") return Promise.reject(new RaftError("PAYLOAD_TOO_LARGE", "too large"));
    this.log.push(data);
    const index = this.log.length;
    this.#flushSoon();
    if (fault === "applied-but-unknown") return Promise.reject(new RaftError("PROPOSAL_OUTCOME_UNKNOWN", "unknown"));
    return new Promise((resolve) => from.pending.set(index, (result) => resolve(structuredClone(result))));
  }

  /** Resolves once the node has applied all that is in the log now. */
  caughtUp(node: InProcessNode): Promise<number> {
    const index = this.log.length;
    if (node.stopped) return Promise.reject(new RaftError("NODE_STOPPED", "stopped"));
    if (node.applied >= index) return Promise.resolve(index);
    if (!node.connected) return Promise.reject(new RaftError("DEADLINE_EXCEEDED", "lost", { retryable: true }));
    return new Promise((resolve) => node.barriers.push({ index, resolve }));
  }

  async #install(node: InProcessNode, from: InProcessNode): Promise<void> {
    const applied = from.applied;
    await node.executor.restore(from.executor.snapshot(), applied);
    node.applied = applied;
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      for (const node of this.nodes.values()) this.#apply(node);
    });
  }

  #apply(node: InProcessNode): void {
    if (node.stopped || !node.connected || node.applied >= this.log.length) return;
    const first = node.applied + 1;
    const batch = this.log.slice(node.applied).map((data, position) => ({
      index: first + position,
      term: 1,
      command: node.executor.decode(data),
    }));
    node.applied = this.log.length;
    const results = node.executor.apply(batch);
    if (results instanceof Promise) throw new Error("a state in memory never makes anybody wait");
    for (const [position, result] of results.entries()) {
      node.pending.get(first + position)?.(result);
      node.pending.delete(first + position);
    }
    const reached = node.barriers.filter(({ index }) => index <= node.applied);
    node.barriers = node.barriers.filter(({ index }) => index > node.applied);
    for (const { index, resolve } of reached) resolve(index);
  }
}
