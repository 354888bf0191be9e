/**
 * What happens to the runs of a test cluster: bodies, context calls, attempts of steps, records and owners.
 *
 * Role: hears of everything (interceptor of the runtimes, observer of the engines, events of the nodes), tells the planned faults of it, keeps
 * the story for failed tests, and finds what must never happen.
 */
import type { NodeId } from "@raftoral/raft-core";
import {
  type InterceptedBody,
  type InterceptedCall,
  type InterceptedStep,
  type RuntimeInterceptor,
  TerminalError,
  type WorkflowCommand,
} from "@raftoral/workflow";
import { Payload } from "../../api/payloads/payload.ts";
import type { NodeEvent } from "../../node/node-events.ts";
import type { FaultPlan } from "../faults/fault-plan.ts";
import type { Happening } from "../faults/moment.ts";
import type { Proposal, ProposalObserver } from "../faults/observed-engine.ts";
import { inBody, outsideOfBody } from "../guard/body-guard.ts";
import type { BodyMisuse } from "../guard/body-misuse.ts";
import type { StepCall } from "../steps/step-call.ts";
import { stepOf } from "../steps/step-path-name.ts";
import type { TestSteps } from "../steps/test-steps.ts";
import type { VirtualProcess } from "../time/virtual-time.ts";

/** What {@link RunWatch} works with. */
export interface RunWatchSetting {
  readonly steps: TestSteps;
  readonly plan: FaultPlan;
  /** Virtual time, in milliseconds since the epoch. */
  readonly nowMs: () => number;
  readonly misuse: BodyMisuse;
}

/** One run as the kit saw it. */
interface Watched {
  readonly workflowType: string;
  isStarted: boolean;
  owner: NodeId;
  bodies: number;
  ends: number;
  /** Entries with records that were proposed, each counted once however often it was. */
  commits: number;
  /** Numbers of these entries by the paths of their records. */
  readonly proposed: Map<string, number>;
  /** Calls of the body that runs now. */
  calls: number;
  /** The number of the latest ownership that any node has heard of. */
  epoch: number;
  /** Paths of records that are committed, with the nodes that have heard so. */
  readonly committed: Map<string, Set<NodeId>>;
  /** From 1, and the ownership with which it began: a process that begins may hear of records of an earlier one again. */
  generation: number;
  generationEpoch: number;
  /** What the body waits for. */
  readonly open: Map<string, string>;
  readonly problems: string[];
}

const MAX_STORY = 10_000;

/** Watches the runs of one {@link TestCluster}. */
export class RunWatch implements ProposalObserver {
  readonly story: string[] = [];
  readonly #setting: RunWatchSetting;
  readonly #runs = new Map<string, Watched>();
  readonly #live = new Set<NodeId>();
  /** Nodes that are up and are to execute nothing. */
  readonly #drained = new Set<NodeId>();
  /** The latest ownership of each run that each node has heard of. */
  readonly #epochs = new Map<NodeId, Map<string, number>>();
  /** Functions of steps that were called and have not settled, with the process that called them. */
  readonly #underWay = new Map<StepCall, { readonly process: VirtualProcess; readonly sinceMs: number }>();

  constructor(setting: RunWatchSetting) {
    this.#setting = setting;
  }

  /** Whether a living process has called a step's function within the last `realMs` of real time, and the function has not settled. */
  isStepUnderWay(realMs: number): boolean {
    const sinceMs = performance.now() - realMs;
    for (const step of this.#underWay.values()) if (step.process.isAlive && step.sinceMs >= sinceMs) return true;
    return false;
  }

  /** What the bodies wait for, a line each. */
  get waits(): readonly string[] {
    return [...this.#runs].flatMap(([runId, { open, ends }]) =>
      ends > 0 ? [] : [...open].map(([path, kind]) => `run ${runId} waits for ${kind} ${path}`),
    );
  }

  ownerOf(runId: string): NodeId | undefined {
    return this.#runs.get(runId)?.owner;
  }

  bodiesOf(runId: string): number {
    return this.#runs.get(runId)?.bodies ?? 0;
  }

  countsOf(runId: string): { readonly calls: number; readonly commits: number } {
    const run = this.#runs.get(runId);
    return { calls: run?.calls ?? 0, commits: run?.commits ?? 0 };
  }

  /** What must not have happened to a run and has. */
  problemsOf(runId: string): string[] {
    const run = this.#runs.get(runId);
    if (run === undefined) return ["no such run was started"];
    const problems = [...run.problems];
    if (run.ends !== 1) problems.push(`it ended ${run.ends} times`);
    return problems;
  }

  /** Whether nodes that are not among `up` own nothing any more, and do not count as live any more. */
  isHandedOn(up: ReadonlySet<NodeId>): boolean {
    for (const nodeId of this.#live) if (!up.has(nodeId)) return false;
    for (const nodeId of up) if (this.#live.has(nodeId) === this.#drained.has(nodeId)) return false;
    for (const { owner, ends } of this.#runs.values()) if (ends === 0 && owner !== 0 && !up.has(owner)) return false;
    return true;
  }

  /** Whether a node has registered and executes runs. */
  isLive(nodeId: NodeId): boolean {
    return this.#live.has(nodeId);
  }

  /** Whether a node is to execute runs from now on. */
  serves(nodeId: NodeId, does: boolean): void {
    if (does) this.#drained.delete(nodeId);
    else this.#drained.add(nodeId);
  }

  /** Whether a node has heard that a run has another owner than under `epoch`. */
  hasLost(runId: string, nodeId: NodeId, epoch: number): boolean {
    return (this.#epochs.get(nodeId)?.get(runId) ?? 0) > epoch;
  }

  /** Adds a line to the story. */
  tell(what: string): void {
    if (this.story.length < MAX_STORY) this.story.push(`${new Date(this.#setting.nowMs()).toISOString()}  ${what}`);
  }

  /** A node's event. Every node tells of the replicated ones; the first one counts. */
  heard(nodeId: NodeId, event: NodeEvent): void {
    switch (event.type) {
      case "run-started": {
        const run = this.#run(event.runId, event.workflowType);
        if (run.isStarted) return;
        run.isStarted = true;
        run.owner = event.owner;
        this.tell(`run ${event.runId} of ${event.workflowType} is started on node ${event.owner}`);
        return;
      }
      case "owner-changed": {
        const run = this.#run(event.runId, event.workflowType);
        this.#epochsOf(nodeId).set(event.runId, event.epoch);
        run.epoch = Math.max(run.epoch, event.epoch);
        if (run.owner === event.to && event.reason !== "restart") return;
        run.owner = event.to;
        this.tell(`run ${event.runId} goes to ${event.to === 0 ? "no node" : `node ${event.to}`} (${event.reason})`);
        return;
      }
      case "run-continued": {
        const run = this.#run(event.runId, event.workflowType);
        this.#epochsOf(nodeId).set(event.runId, event.epoch);
        run.epoch = Math.max(run.epoch, event.epoch);
        if (run.generation >= event.generation) return;
        run.generation = event.generation;
        run.generationEpoch = event.epoch;
        run.committed.clear();
        run.proposed.clear();
        this.tell(`run ${event.runId} begins generation ${event.generation}`);
        return;
      }
      case "record-committed": {
        const run = this.#runs.get(event.runId);
        if (run === undefined || event.epoch < run.generationEpoch) return;
        const heard = run.committed.get(event.path);
        heard?.add(nodeId);
        if (heard !== undefined) return;
        run.committed.set(event.path, new Set([nodeId]));
        this.tell(`run ${event.runId} has ${event.kind} ${event.path}`);
        return;
      }
      case "run-ended": {
        const run = this.#run(event.runId, event.workflowType);
        if (run.ends > 0) return;
        run.ends += 1;
        run.open.clear();
        this.tell(`run ${event.runId} is ${event.outcome.status}`);
        return;
      }
      case "node-changed":
        if (event.status === "live") this.#live.add(event.nodeId);
        else this.#live.delete(event.nodeId);
        return;
      default:
        return;
    }
  }

  /** The interceptor of the runtime of one process. */
  interceptorOf(nodeId: NodeId, process: VirtualProcess): RuntimeInterceptor {
    return {
      runBody: (body, run) => this.#runBody(body, run),
      callBegins: (call) => this.#callBegins(call),
      callAnswered: (call) => this.#callAnswered(call),
      runAside: outsideOfBody,
      foreignAwait: (body, call) => this.#setting.misuse.awaited(body, call),
      runStep: (step, run) => outsideOfBody(() => this.#runStep(nodeId, process, step, run)),
    };
  }

  proposalsOf(command: WorkflowCommand): readonly Proposal[] {
    switch (command.kind) {
      case "Checkpoint":
      case "SignalReceive":
        return this.#commitOf(command.runId, [command.path]);
      case "Records": {
        const { runId, records, end } = command;
        const commit = this.#commitOf(
          runId,
          records.map(({ path }) => path),
        );
        return end === undefined ? commit : [...commit, { at: "command", runId, command: "end" }];
      }
      case "ContinueAsNew":
        return this.#commitOf(command.runId, [`generation after epoch ${command.epoch}`]);
      case "CallAnswered":
        return this.#commitOf(command.runId, [command.path]);
      case "ChildEnded":
        return this.#commitOf(command.runId, [`${command.path}/result`]);
      case "WorkflowStart":
        this.#run(command.runId, command.workflowType);
        return [{ at: "command", runId: command.runId, command: "start" }];
      case "Signal":
        return [{ at: "command", runId: command.runId, command: "signal" }];
      case "Cancel":
        return [{ at: "command", runId: command.runId, command: "cancel" }];
      case "WorkflowEnd":
        return [{ at: "command", runId: command.runId, command: "end" }];
      case "NodeRegister":
        return [{ at: "registration" }];
      default:
        return [];
    }
  }

  /** One entry with records: that of the first path which was in an entry before, or a new one. */
  #commitOf(runId: string, paths: readonly string[]): readonly Proposal[] {
    const run = this.#runs.get(runId);
    if (run === undefined || paths.length === 0) return [];
    const known = paths.map((path) => run.proposed.get(path)).find((commit) => commit !== undefined);
    if (known === undefined) run.commits += 1;
    const commit = known ?? run.commits;
    for (const path of paths) run.proposed.set(path, commit);
    return [{ at: "commit", runId, commit }];
  }

  told(nodeId: NodeId, proposal: Proposal, when: "before" | "proposed" | "after"): void {
    if (proposal.at === "registration") {
      this.#happened({ ...proposal, nodeId, when });
      return;
    }
    const workflowType = this.#runs.get(proposal.runId)?.workflowType ?? "";
    this.#happened({ ...proposal, workflowType, nodeId, when });
  }

  #runBody(
    body: InterceptedBody,
    run: Parameters<RuntimeInterceptor["runBody"]>[1],
  ): ReturnType<RuntimeInterceptor["runBody"]> {
    const watched = this.#run(body.runId, body.workflowType);
    if (body.epoch > watched.epoch) {
      // The node tells of it after its own runtime has begun.
      watched.epoch = body.epoch;
      watched.owner = body.nodeId;
    }
    if (!body.isResumed) watched.bodies += 1;
    watched.calls = 0;
    watched.open.clear();
    const does = body.isResumed ? "is back in memory" : "begins";
    this.tell(
      `run ${body.runId}: body ${watched.bodies} ${does} on node ${body.nodeId} after ${body.replayed} records`,
    );
    return inBody(body, (use) => this.#setting.misuse.used(use), run);
  }

  #callBegins({ body, path, kind }: InterceptedCall): void {
    const run = this.#run(body.runId, body.workflowType);
    run.calls += 1;
    run.open.set(path, kind);
    this.#happened({ ...place(body), at: "call", call: run.calls, when: "begins" });
  }

  #callAnswered({ body, path }: InterceptedCall): void {
    const run = this.#run(body.runId, body.workflowType);
    run.open.delete(path);
    if (this.hasLost(body.runId, body.nodeId, body.epoch)) {
      run.problems.push(`call ${path} was answered on node ${body.nodeId}, which had lost the run`);
    }
    this.#happened({ ...place(body), at: "call", call: run.calls, when: "answered" });
  }

  #epochsOf(nodeId: NodeId): Map<string, number> {
    const known = this.#epochs.get(nodeId) ?? new Map<string, number>();
    this.#epochs.set(nodeId, known);
    return known;
  }

  async #runStep(nodeId: NodeId, process: VirtualProcess, step: InterceptedStep, run: () => unknown): Promise<unknown> {
    const { body, path, attempt } = step;
    const watched = this.#run(body.runId, body.workflowType);
    const input = Payload.ofBytes(step.input, `the input of run ${body.runId}`).toJSON();
    const { name, occurrence } = stepOf(path);
    const named = { runId: body.runId, workflowType: body.workflowType, name, occurrence, path };
    const { mock, mayRun } = this.#setting.steps.mockFor(named);
    const isMocked = mock !== undefined;
    const call: { -readonly [Key in keyof StepCall]: StepCall[Key] } = {
      ...named,
      attempt,
      nodeId,
      epoch: body.epoch,
      atMs: this.#setting.nowMs(),
      isMocked,
      input,
      outcome: undefined,
    };
    this.#setting.steps.note(call);
    // An owner that was cut off may not know yet that the run is another's: fencing tokens are for that.
    const heard = watched.committed.get(path);
    if (heard?.has(nodeId) === true || (heard !== undefined && body.epoch >= watched.epoch)) {
      watched.problems.push(`step ${path} ran again after its record was committed`);
    }
    this.tell(`run ${body.runId}: node ${nodeId} runs step ${path}${attempt === 1 ? "" : `, attempt ${attempt}`}`);
    this.#happened({ ...place(body), at: "step", step: name, when: "starts" });
    if (!process.isAlive) return never();
    this.#underWay.set(call, { process, sinceMs: performance.now() });
    try {
      if (mock === undefined && !mayRun) {
        throw new TerminalError(
          `Step ${path} has no mock, and unmocked steps are forbidden. Mock it with steps.mock(${JSON.stringify(name)}, ...).`,
        );
      }
      const value = await (mock === undefined ? run() : mock.answer(call));
      call.outcome = { value };
      return value;
    } catch (error) {
      call.outcome = { error };
      throw error;
    } finally {
      this.#underWay.delete(call);
      if (process.isAlive) this.#happened({ ...place(body), at: "step", step: name, when: "finishes" });
    }
  }

  #happened(happening: Happening): void {
    this.#setting.plan.happened(happening);
  }

  #run(runId: string, workflowType: string): Watched {
    let run = this.#runs.get(runId);
    if (run === undefined) {
      run = {
        workflowType,
        isStarted: false,
        owner: 0,
        bodies: 0,
        ends: 0,
        commits: 0,
        proposed: new Map(),
        calls: 0,
        epoch: 0,
        committed: new Map(),
        generation: 1,
        generationEpoch: 0,
        open: new Map(),
        problems: [],
      };
      this.#runs.set(runId, run);
    }
    return run;
  }
}

function place({ runId, workflowType, nodeId }: InterceptedBody) {
  return { runId, workflowType, nodeId };
}

/** What a dead process gives. */
function never(): Promise<never> {
  return new Promise(() => {});
}
