/**
 * Leaders and their duties on one log, without bodies: what is proposed waits until the test commits it, leaders change, nodes fall silent and come back,
 * and clocks run as the test says.
 */
import { type Clock, RaftError, silentLogger } from "@raftoral/raft-core";
import type { CommandResult, WorkflowCommand } from "../commands/registry.ts";
import { WorkflowState } from "../machine/workflow-state.ts";
import type { EngineNotice, WorkflowEngine } from "../runtime/engine/workflow-engine.ts";
import { LeaderDuties, type Retention } from "../runtime/leader-duties.ts";
import { ORDER } from "./state-log.ts";

/** A clock that moves when the test says so; each node's wall may be off. */
class DutiesClock implements Clock {
  now = 0;
  wallOffsetMs = 1_700_000_000_000;
  readonly #periodic = new Set<() => void>();

  wallMs = (): number => this.now + this.wallOffsetMs;
  monotonicMs = (): number => this.now;
  after = () => () => {};
  soon = (fn: () => void): void => queueMicrotask(fn);

  every(_periodMs: number, fn: () => void): () => void {
    this.#periodic.add(fn);
    return () => this.#periodic.delete(fn);
  }

  advance(ms: number): void {
    this.now += ms;
    for (const fn of [...this.#periodic]) fn();
  }
}

interface Proposal {
  readonly from: number;
  readonly command: WorkflowCommand;
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: Error) => void;
}

interface Process {
  readonly duties: LeaderDuties;
  readonly clock: DutiesClock;
  incarnation: string;
}

/** One state, its leaders and their clocks. A test commits proposals, changes leaders and moves the clocks. */
export class DutiesWorld {
  readonly state = new WorkflowState();
  readonly processes = new Map<number, Process>();
  readonly committed: WorkflowCommand[] = [];
  leader = 0;
  #index = 0;
  #processCount = 0;
  #pending: Proposal[] = [];
  /** What the leader's failure detector has reported. */
  readonly #reported = new Set<number>();
  readonly #members: readonly number[];
  readonly #retention: Retention;

  constructor(members: readonly number[], retention: Retention = { retentionMs: 3_600_000, maxFinishedRuns: 1000 }) {
    this.#members = members;
    this.#retention = retention;
    for (const nodeId of members) this.live(nodeId);
    for (const nodeId of members) this.register(nodeId);
    this.lead(members[0] ?? 1);
  }

  get alive(): readonly number[] {
    return [...this.processes.keys()];
  }

  /** A process of the node begins. It has not registered yet. */
  live(nodeId: number): void {
    if (this.processes.has(nodeId)) return;
    const clock = new DutiesClock();
    const duties = new LeaderDuties(this.#engine(nodeId), clock, silentLogger, this.#retention);
    this.#processCount += 1;
    this.processes.set(nodeId, { duties, clock, incarnation: `process-${this.#processCount}` });
  }

  /** The process ends. What it has proposed may be committed all the same. */
  die(nodeId: number): void {
    this.processes.get(nodeId)?.duties.stop();
    this.processes.delete(nodeId);
    if (this.leader === nodeId) this.leader = 0;
  }

  /** The process proposes its registration. */
  register(nodeId: number): void {
    const process = this.processes.get(nodeId);
    if (process === undefined) return;
    const { incarnation, clock } = process;
    const atMs = clock.wallMs();
    this.propose(nodeId, { kind: "NodeRegister", nodeId, incarnation, types: [ORDER], atMs }).catch(() => {});
  }

  /** Another leader, which has not heard of any silence yet. */
  lead(nodeId: number): void {
    if (!this.processes.has(nodeId)) return;
    this.leader = nodeId;
    this.#reported.clear();
    for (const [each, { duties }] of this.processes) {
      duties.onNotice({ type: "leader-changed", leader: nodeId, term: 1, isLocal: each === nodeId });
    }
  }

  /** The leader's failure detector says who fell silent and who is heard again. */
  detect(): void {
    const tell = (notice: EngineNotice): void => this.processes.get(this.leader)?.duties.onNotice(notice);
    for (const nodeId of this.#members) {
      const isSilent = !this.processes.has(nodeId);
      if (isSilent === this.#reported.has(nodeId)) continue;
      if (isSilent) this.#reported.add(nodeId);
      else this.#reported.delete(nodeId);
      tell({ type: isSilent ? "node-lost" : "node-returned", nodeId });
    }
  }

  propose(from: number, command: WorkflowCommand): Promise<CommandResult> {
    return new Promise((resolve, reject) => this.#pending.push({ from, command, resolve, reject }));
  }

  /** Commits the `at`-th of what waits, if there is as much. */
  commit(at = 0): boolean {
    const [proposal] = this.#pending.splice(at % Math.max(1, this.#pending.length), 1);
    if (proposal === undefined) return false;
    const result = this.apply(proposal.command);
    if (this.processes.has(proposal.from)) proposal.resolve(result);
    return true;
  }

  /** Loses the `at`-th of what waits: its proposer never learns what became of it, for its deadline passes. */
  lose(at = 0): void {
    const [proposal] = this.#pending.splice(at % Math.max(1, this.#pending.length), 1);
    proposal?.reject(new RaftError("DEADLINE_EXCEEDED", "The proposal was lost.", { retryable: true }));
  }

  apply(command: WorkflowCommand): CommandResult {
    this.#index += 1;
    this.committed.push(command);
    const result = this.state.apply(this.#index, command);
    for (const event of this.state.takeEvents()) {
      for (const { duties } of this.processes.values()) duties.onEvent(event);
    }
    return result;
  }

  advance(ms: number): void {
    for (const { clock } of this.processes.values()) clock.advance(ms);
  }

  /** Lets the duties do what they can until they wait for a commit. */
  async turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Lets time pass and everything that is proposed be committed, with processes that register again when they learn that they are not registered. */
  async quiet(rounds = 12, stepMs = 1000): Promise<void> {
    if (!this.processes.has(this.leader)) this.lead(this.alive[0] ?? 0);
    for (let round = 0; round < rounds; round++) {
      this.detect();
      for (const [nodeId, { incarnation }] of this.processes) {
        const known = this.state.nodes().find((node) => node.nodeId === nodeId);
        if (known?.incarnation !== incarnation || known.status !== "live") this.register(nodeId);
      }
      this.advance(stepMs);
      await this.turn();
      while (this.commit()) await this.turn();
    }
  }

  #engine(nodeId: number): WorkflowEngine {
    const { state } = this;
    const refuse = async (): Promise<never> => {
      throw new Error("the duties need nothing else");
    };
    return {
      nodeId,
      propose: (command) => this.propose(nodeId, command),
      barrier: refuse,
      subscribe: () => () => {},
      run: refuse,
      summary: refuse,
      end: refuse,
      input: refuse,
      history: refuse,
      progress: refuse,
      record: refuse,
      children: refuse,
      unreportedEnds: async (limit) => state.unreportedEnds(limit),
      owedAnswers: async (limit) => state.owedAnswers(limit),
      agenda: async () => state.agenda(),
      schedule: refuse,
      schedules: refuse,
      dueSchedules: async (untilMs, limit) => state.dueSchedules(untilMs, limit),
      stream: refuse,
      variables: refuse,
      list: refuse,
      counts: refuse,
      queues: refuse,
      locks: refuse,
      runLocks: refuse,
      lockToken: refuse,
      lockWatch: async (after) => state.lockWatch(after),
      pausedTypes: refuse,
      audit: refuse,
      pruned: refuse,
      toHandOver: refuse,
      ownedBy: refuse,
      overview: async () => ({
        waiting: [],
        leader: this.leader,
        isLeader: this.leader === nodeId,
        members: this.#members,
        nodes: state.nodes(),
        size: state.size,
        appliedIndex: state.appliedIndex,
        clockMs: state.clock,
        uptimeMs: state.uptimeMs,
        oldestEndUptimeMs: state.oldestEndUptime(),
        hasClosingParents: state.hasClosingParents,
        queues: state.queueDuties,
        areLocksDue: state.areLocksDue,
      }),
    };
  }
}
