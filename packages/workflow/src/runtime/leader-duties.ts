/**
 * What only the node that leads does: hand on the runs of lost and removed nodes, and prune finished runs.
 *
 * L1. Doing it twice, late, or on two nodes that both believe to lead harms nothing: the commands are judged when applied.
 * L2. A node is reported lost for the process that was registered when it fell silent; one that registers again is not.
 */
import type { Cancel, Clock, Logger, NodeId } from "@raftoral/raft-core";
import type { WorkflowEvent } from "../state/workflow-event.ts";
import type { EngineNotice, EngineOverview, WorkflowEngine } from "./engine/workflow-engine.ts";

export interface Retention {
  /** How long a finished run is kept, in ms. */
  readonly retentionMs: number;
  /** How many are kept at most. */
  readonly maxFinishedRuns: number;
}

/** How often the duties are looked after, beside the occasions that call for them. */
const PERIOD_MS = 1000;

export class LeaderDuties {
  readonly #engine: WorkflowEngine;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #retention: Retention;
  readonly #lost = new Set<NodeId>();
  readonly #stopTimer: Cancel;
  #leads = false;
  #working = false;
  #again = false;
  #stopped = false;

  constructor(engine: WorkflowEngine, clock: Clock, logger: Logger, retention: Retention) {
    this.#engine = engine;
    this.#clock = clock;
    this.#logger = logger;
    this.#retention = retention;
    this.#stopTimer = clock.every(PERIOD_MS, () => {
      if (this.#leads) this.#look();
    });
    void engine.overview().then(
      (overview) => {
        this.#leads ||= overview.isLeader;
      },
      () => {},
    );
  }

  onNotice(notice: EngineNotice): void {
    switch (notice.type) {
      case "leader-changed":
        this.#leads = notice.isLocal;
        if (!notice.isLocal) this.#lost.clear();
        break;
      case "node-lost":
        this.#leads = true;
        this.#lost.add(notice.nodeId);
        break;
      case "node-returned":
        this.#lost.delete(notice.nodeId);
        break;
      case "members-changed":
        break;
    }
    if (this.#leads) this.#look();
  }

  onEvent(event: WorkflowEvent): void {
    if (event.type === "node-changed" && event.status === "live") this.#lost.delete(event.nodeId);
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer();
  }

  /** One look at a time; an occasion that comes meanwhile is followed by another. */
  #look(): void {
    if (this.#stopped) return;
    if (this.#working) {
      this.#again = true;
      return;
    }
    this.#working = true;
    this.#attend()
      .catch((error: unknown) => this.#logger.debug({ err: error }, "a leader's duty waits for the next look"))
      .finally(() => {
        this.#working = false;
        if (this.#again) {
          this.#again = false;
          this.#look();
        }
      });
  }

  async #attend(): Promise<void> {
    const overview = await this.#engine.overview();
    if (!overview.isLeader || this.#stopped) return;
    await this.#handOn(overview);
    await this.#prune(overview);
  }

  async #handOn({ nodes, members }: EngineOverview): Promise<void> {
    for (const { nodeId, incarnation, status, running } of nodes) {
      const forget = members.length > 0 && !members.includes(nodeId);
      const lost = this.#lost.has(nodeId) && (status !== "lost" || running > 0);
      if (!forget && !lost) continue;
      const atMs = this.#clock.wallMs();
      const result = await this.#engine.propose({ kind: "NodeLost", nodeId, incarnation, atMs, forget });
      if (result.ok && result.kind === "Moved") {
        const { moved, orphaned } = result;
        this.#logger.warn({ nodeId, forget, moved, orphaned }, "a node is lost; its runs go to others");
      }
    }
  }

  async #prune({ size, oldestEndMs, clockMs }: EngineOverview): Promise<void> {
    const { retentionMs, maxFinishedRuns } = this.#retention;
    const atMs = this.#clock.wallMs();
    const finishedBeforeMs = Math.max(0, Math.max(atMs, clockMs) - retentionMs);
    if (size.finished <= maxFinishedRuns && (oldestEndMs === undefined || oldestEndMs >= finishedBeforeMs)) return;
    for (;;) {
      const result = await this.#engine.propose({ kind: "Prune", finishedBeforeMs, keepAtMost: maxFinishedRuns, atMs });
      if (!result.ok || result.kind !== "Pruned" || !result.more || this.#stopped) return;
    }
  }
}
