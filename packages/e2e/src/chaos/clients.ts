/** Clients of a {@link ChaosCluster}: each looks after one run, asks any node that runs, and notes what was acknowledged. */
import type { Rng } from "@raftoral/raft-core";
import { encodeValue, type RunRequests } from "@raftoral/workflow";
import type { ChaosCluster } from "./chaos-cluster.ts";
import { type Plan, randomPlan, SIGNAL, waits } from "./plan.ts";

/** One sending of a signal. Its payload is like no other's. */
export interface Sending {
  readonly payload: string;
  readonly acknowledged: boolean;
}

/** A run, as its client knows it. */
export interface Asked {
  readonly runId: string;
  readonly plan: Plan;
  /** Acknowledged starts, and how many of them said that they had created the run. */
  started: number;
  created: number;
  /** In order: each was begun after the one before was answered. */
  readonly sendings: Sending[];
}

/** How long a request goes on trying. */
const LIMIT = { timeoutMs: 3_000 };
/** Larger than any value here, in bytes. */
const LARGEST_VALUE = 65_536;

const bytesOf = (value: unknown): Uint8Array => encodeValue(value, "a value of the chaos run", LARGEST_VALUE);
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The clients of one chaos run. They begin runs until `finish`. */
export class Clients {
  readonly asked: Asked[] = [];
  /** Errors that no fault explains. */
  readonly surprises: unknown[] = [];
  readonly #cluster: ChaosCluster;
  readonly #rng: Rng;
  #isOver = false;

  constructor(cluster: ChaosCluster, rng: Rng) {
    this.#cluster = cluster;
    this.#rng = rng;
  }

  /** Looks after one run after the other until `finish`. */
  async work(name: string): Promise<void> {
    for (let number = 0; !this.#isOver; number++) {
      await this.#lookAfter(`${name}-${number}`);
      await pause(this.#rng.below(10));
    }
  }

  /** Begins no further runs. The runs that have begun are looked after to their end. */
  finish(): void {
    this.#isOver = true;
  }

  async #lookAfter(runId: string): Promise<void> {
    const asked: Asked = { runId, plan: randomPlan(this.#rng), started: 0, created: 0, sendings: [] };
    this.asked.push(asked);
    const { all, endless } = waits(asked.plan);
    // Every other run is asked for twice at once, on two nodes perhaps: it is one run all the same.
    const starts = Array.from({ length: 1 + this.#rng.below(2) }, () => this.#start(asked));
    await Promise.all(starts);
    // What was not acknowledged may have happened: asked for again, it is the same run.
    while (asked.started === 0) await this.#start(asked);
    if (this.#rng.below(8) === 0) {
      await pause(this.#rng.below(50));
      await this.#ask((requests) => requests.cancel({ runId, reason: "by its client", by: "" }, LIMIT));
    }
    // Enough that every endless wait ends even if those with a timeout take as many as they may.
    const needed = endless === 0 ? this.#rng.below(all + 1) : all;
    while (asked.sendings.filter(({ acknowledged }) => acknowledged).length < needed) {
      const payload = `${runId} ${asked.sendings.length}`;
      const signal = { runId, name: SIGNAL, payload: bytesOf(payload), signalId: payload };
      const acknowledged = await this.#ask((requests) => requests.signal(signal, LIMIT));
      asked.sendings.push({ payload, acknowledged });
      if (this.#hasEnded(runId)) return;
    }
  }

  async #start(asked: Asked): Promise<void> {
    const { runId, plan } = asked;
    await this.#ask(async (requests) => {
      const seed = crypto.getRandomValues(new Uint8Array(16));
      const start = { runId, workflowType: "random", version: 1, input: bytesOf(plan), seed };
      const { created } = await requests.start(start, LIMIT);
      asked.started += 1;
      if (created) asked.created += 1;
    });
  }

  /** Whether the cluster acknowledged it. Never rejects. */
  async #ask(request: (requests: RunRequests) => Promise<void>): Promise<boolean> {
    const running = this.#cluster.running();
    const node = running[this.#rng.below(Math.max(running.length, 1))];
    if (node === undefined) {
      await pause(10);
      return false;
    }
    try {
      await request(node.requests);
      return true;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code === undefined || !EXPLAINED.has(code)) this.surprises.push(error);
      await pause(5);
      return false;
    }
  }

  #hasEnded(runId: string): boolean {
    const node = this.#cluster.running()[0];
    return node?.executor.state.end(runId)?.ended !== undefined;
  }
}

/** What a client may meet in a cluster with faults; WORKFLOW_FINISHED, when its run needs nothing of it any more. */
const EXPLAINED = new Set([
  "NO_LEADER",
  "DEADLINE_EXCEEDED",
  "PROPOSAL_OUTCOME_UNKNOWN",
  "NODE_STOPPED",
  "WORKFLOW_FINISHED",
]);
