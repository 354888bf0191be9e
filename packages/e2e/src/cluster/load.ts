/**
 * Clients that start runs one after the other, through any node that answers, and note every start that was acknowledged.
 * A start that was not acknowledged in time is none of theirs: it may or may not have happened.
 */
import { setTimeout as pause } from "node:timers/promises";
import { RaftoralClient } from "raftoral";
import { eventually } from "../harness/index.ts";
import type { TallyInput } from "../programs/workflows.ts";
import { GapWatch } from "./gap-watch.ts";
import type { TestCluster } from "./test-cluster.ts";

export const TALLY: TallyInput = { steps: 3, stepMs: 40 };
/** What a run of {@link TALLY} comes to. */
export const TALLY_SUM = 6;

const START_TIMEOUT_MS = 3_000;
const CLIENTS = 3;
const PAUSE_MS = 20;
const ACKNOWLEDGE_MS = 30_000;

export interface LoadOptions {
  /** How many start runs side by side (3). */
  readonly clients?: number;
  /** Pause of a client between two starts in ms (20). */
  readonly pauseMs?: number;
}

/** Load on a {@link TestCluster} until `stop`. */
export class Load {
  /** Ids of the runs whose start was acknowledged, in that order. */
  readonly acknowledged: string[] = [];
  /** Starts that failed or took too long. */
  failures = 0;
  readonly gaps = new GapWatch();
  readonly #pauseMs: number;
  readonly #stop = new AbortController();
  readonly #clients: readonly Promise<void>[];

  /** `name` makes the ids of this load its own. */
  constructor(cluster: TestCluster, name: string, { clients = CLIENTS, pauseMs = PAUSE_MS }: LoadOptions = {}) {
    const { addresses } = cluster;
    this.#pauseMs = pauseMs;
    this.#clients = Array.from({ length: clients }, (_, i) => {
      // Each begins with another node, so that every node owns some of the runs.
      const first = i % addresses.length;
      return this.#run([...addresses.slice(first), ...addresses.slice(0, first)], `${name}-${i + 1}`);
    });
  }

  /** Resolves when this many more starts are acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledged.length + count;
    await eventually(ACKNOWLEDGE_MS, `${count} more starts to be acknowledged`, () => this.acknowledged.length >= goal);
  }

  /** Resolves when no start is under way any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#clients);
  }

  async #run(addresses: readonly string[], name: string): Promise<void> {
    const { signal } = this.#stop;
    const client = await RaftoralClient.connect(addresses, { timeoutMs: START_TIMEOUT_MS });
    try {
      for (let n = 1; !signal.aborted; n += 1) {
        const id = `${name}-${n}`;
        try {
          await client.workflows.start("tally", TALLY, { runId: id });
          this.acknowledged.push(id);
          this.gaps.acknowledged();
        } catch {
          this.failures += 1;
        }
        await pause(this.#pauseMs);
      }
    } finally {
      client.close();
    }
  }
}
