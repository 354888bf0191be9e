// What the services report, put together into one picture: who leads, who owns which order, what is recorded where.
//
// V1. A fact is what one place of the log did to one order. It is told once, in the order of the log, when every service that
//     is up has applied it, or after a moment with those that have.
// V2. The picture (`runs`, `leader`) is ahead of what is told: it holds a fact as soon as the first service has it.

import { DeadlineError } from "@raftoral/e2e/harness";
import type { NodeEvent } from "raftoral";

export type RunFact = Extract<NodeEvent, { type: "run-started" | "record-committed" | "owner-changed" | "run-ended" }>;

export interface Fact {
  readonly event: RunFact;
  /** When the first service had it, by `performance.now()`. */
  readonly seenAtMs: number;
  /** Services that have applied it. Grows. */
  readonly nodes: Set<number>;
}

export interface RecordedStep {
  /** `reserve#0`. */
  readonly key: string;
  /** Its place in the log. */
  readonly index: number;
  /** The service that did it. */
  readonly node: number;
  readonly epoch: number;
}

export interface RunPicture {
  readonly id: string;
  owner: number;
  epoch: number;
  hasEnded: boolean;
  readonly recorded: Map<string, RecordedStep>;
}

export interface Leader {
  readonly nodeId: number;
  readonly term: number;
  readonly seenAtMs: number;
}

export interface ViewListener {
  onFact(fact: Fact): void;
  onLeader(leader: Leader): void;
}

/** How long a fact waits for a service that is slow to apply it. */
const PATIENCE_MS = 300;

/** The picture of the cluster. It takes what each service reports, and tells a {@link ViewListener} every fact once. */
export class ClusterView {
  readonly runs = new Map<string, RunPicture>();
  leader: Leader | undefined;
  /** Services that have said which workflows they can execute, and so get runs. */
  readonly registered = new Set<number>();
  readonly #listener: ViewListener;
  readonly #up = new Set<number>();
  readonly #facts = new Map<string, Fact>();
  #untold: Fact[] = [];
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(listener: ViewListener) {
    this.#listener = listener;
  }

  nodeIsUp(nodeId: number): void {
    this.#up.add(nodeId);
  }

  nodeIsDown(nodeId: number): void {
    this.#up.delete(nodeId);
    if (this.leader?.nodeId === nodeId) this.leader = undefined;
    this.#update();
  }

  /** Takes in what a service saw. A restarted one sees the whole log again, which changes nothing. */
  hear(nodeId: number, event: NodeEvent): void {
    if (event.type === "leader") {
      this.knowLeader(event.leader, event.term);
    } else if (event.type === "node-changed") {
      if (event.status === "live") this.registered.add(event.nodeId);
      else this.registered.delete(event.nodeId);
    } else if (isRunFact(event)) {
      const path = event.type === "record-committed" ? event.path : "";
      const key = `${event.index} ${event.runId} ${event.type} ${path}`;
      const fact = this.#facts.get(key);
      if (fact === undefined) this.#add(key, { event, seenAtMs: performance.now(), nodes: new Set([nodeId]) });
      else fact.nodes.add(nodeId);
    }
    this.#update();
  }

  /** A service says who leads; the latest term counts, and a leader that is down does not count. */
  knowLeader(nodeId: number, term: number): void {
    if (!this.#up.has(nodeId)) return;
    if (this.leader !== undefined && this.leader.term >= term) return;
    this.leader = { nodeId, term, seenAtMs: performance.now() };
    this.#listener.onLeader(this.leader);
  }

  /** Resolves with what `probe` gives as soon as that is not undefined. Rejects with a DeadlineError naming `what`. */
  async until<T>(ms: number, what: string, probe: () => T | undefined): Promise<T> {
    const found = Promise.withResolvers<T>();
    const look = (): void => {
      const value = probe();
      if (value !== undefined) found.resolve(value);
    };
    const timer = setTimeout(() => found.reject(new DeadlineError(`${what}: not within ${ms} ms`)), ms);
    this.#waiting.add(look);
    look();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  /** Everything seen so far, in the order of the log. */
  facts(): readonly Fact[] {
    return [...this.#facts.values()].sort((a, b) => a.event.index - b.event.index);
  }

  /** Resolves when everything seen so far is told. */
  async settled(): Promise<void> {
    await this.until(
      2 * PATIENCE_MS + 1_000,
      "the last facts to be told",
      () => this.#untold.length === 0 || undefined,
    );
  }

  #add(key: string, fact: Fact): void {
    this.#facts.set(key, fact);
    const place = this.#untold.findLastIndex((other) => other.event.index <= fact.event.index);
    this.#untold.splice(place + 1, 0, fact);
    this.#picture(fact.event);
  }

  #picture(event: RunFact): void {
    const { runId: id, epoch } = event;
    const run = this.runs.get(id) ?? { id, owner: 0, epoch: 0, hasEnded: false, recorded: new Map() };
    this.runs.set(id, run);
    if (event.type === "record-committed") {
      const { path, index, owner } = event;
      run.recorded.set(path, { key: path, index, node: owner, epoch });
    } else if (event.type === "run-ended") {
      run.hasEnded = true;
    } else if (epoch > run.epoch) {
      run.owner = event.type === "owner-changed" ? event.to : event.owner;
      run.epoch = epoch;
    }
  }

  #update(): void {
    this.#tell();
    for (const look of this.#waiting) look();
  }

  /** Tells what is due (V1). */
  #tell(): void {
    clearTimeout(this.#timer);
    for (let fact = this.#untold[0]; fact !== undefined; fact = this.#untold[0]) {
      const leftMs = fact.seenAtMs + PATIENCE_MS - performance.now();
      const { nodes } = fact;
      const isComplete = [...this.#up].every((nodeId) => nodes.has(nodeId));
      if (!isComplete && leftMs > 0) {
        this.#timer = setTimeout(() => this.#update(), leftMs);
        return;
      }
      this.#untold.shift();
      this.#listener.onFact(fact);
    }
  }
}

function isRunFact(event: NodeEvent): event is RunFact {
  const { type } = event;
  return type === "run-started" || type === "record-committed" || type === "owner-changed" || type === "run-ended";
}
