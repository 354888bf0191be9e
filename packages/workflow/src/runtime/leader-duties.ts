/**
 * What only the node that leads does: takes silent and removed nodes for lost, moves the runs that no process executes, and prunes finished runs.
 *
 * LD1. Doing it twice, late, or on two nodes that both believe to lead harms nothing: the commands are judged when applied.
 * LD2. A node that was noticed to be silent is taken for lost, under whichever process it has registered, until it is heard again: a registration that is
 *      applied after the loss was noticed may be of the process that is dead. A process that registers is given `DOUBT_MS` to be heard before that.
 * LD3. Runs are moved piece by piece, each proposed when the one before is applied, until none are left. What is left is in the state, so that the next
 *      leader goes on with it.
 * LD4. Finished runs are kept for `retentionMs` at least, and for some steps of the uptime more. The leader measures the uptime on its monotonic clock, from
 *      when it began to lead, and tells the state every step while there are finished runs. A change of leader loses less than a step.
 * LD5. What passes between parents and children is looked after as soon as one of them has ended (child-duties.ts), and the answer to a call as soon as it is given
 *      (call-duties.ts).
 * LD6. What is to happen at a time is looked after when it is due (due/due-duties.ts).
 * LD8. Leases of locks end, and limiters get their tokens back, when their time has passed (locks/lock-duties.ts).
 * LD7. Runs go on through their queues as long as some may, and when a window of a rate opens or a delay is over (queues/queue-duties.ts).
 */
import type { Cancel, Clock, Logger, NodeId } from "@raftoral/raft-core";
import type { CommandResult } from "../commands/registry.ts";
import type { Moved } from "../commands/results.ts";
import type { TimedRule } from "../model/retention-rule.ts";
import type { TroubleReason } from "../model/runs/stuck-reason.ts";
import type { StateSize } from "../state/state-size.ts";
import type { RunStuck, WorkflowEvent } from "../state/workflow-event.ts";
import { CallDuties } from "./call-duties.ts";
import { ChildDuties } from "./child-duties.ts";
import { DueDuties } from "./due/due-duties.ts";
import type { EngineNotice, EngineOverview, WorkflowEngine } from "./engine/workflow-engine.ts";
import { LockDuties } from "./locks/lock-duties.ts";
import { QueueDuties } from "./queues/queue-duties.ts";
import type { RuntimeProbe } from "./runtime-probe.ts";

/** How long finished runs are kept. */
export interface Retention {
  /** How long a finished run is kept at least, in ms of uptime. */
  readonly retentionMs: number;
  /** How many are kept at most. */
  readonly maxFinishedRuns: number;
  /** For runs that are kept for another time. */
  readonly rules?: readonly TimedRule[];
  /** Bytes that they take at most; without a bound by default. */
  readonly maxFinishedBytes?: number;
  /** How long ids are kept after their runs were dropped, in ms of uptime, and how many; none by default. */
  readonly keepIdsMs?: number;
  readonly maxKeptIds?: number;
  /** Whether only runs are dropped that the archive hook has taken (false). */
  readonly onlyHandedOver?: boolean;
}

/** How often the duties are looked after, beside the occasions that call for them. */
const PERIOD_MS = 1000;
/** In how many steps the uptime advances by the time for which runs are kept, unless a step would be shorter than a period or longer than this. */
const STEPS = 16;
const MAX_STEP_MS = 60_000;
/** What a command can say. */
const MAX_RETENTION_MS = 2 ** 52;
const MAX_KEPT = 2 ** 32 - 1;
const MAX_BYTES = Number.MAX_SAFE_INTEGER;
/** The part of the bound of finished runs from which on it is reported. */
const NEAR_BOUND = 0.8;
/** How long a silent node that registers may take to be heard (LD2). */
const DOUBT_MS = 1000;

/** What is said of a stuck run, by the reason. */
const STUCK_TEXTS: Readonly<Record<TroubleReason, string>> = {
  "owner-losses":
    "A run is stuck: the processes that executed it ended one after the other. Find out why, then resume or cancel the run.",
  "code-mismatch":
    "A run is stuck: no live node has code that fits its history. It goes on when a node registers code that does; or cancel the run.",
};

/** The duties of one node. They run only while the node leads (LD1 to LD4). */
export class LeaderDuties {
  readonly #engine: WorkflowEngine;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #retention: Retention;
  /** Nodes that are silent, each with the time before which it is not taken for lost. */
  readonly #silent = new Map<NodeId, number>();
  /** Until when the uptime is measured, on this process's monotonic clock. */
  #measuredAtMs: number;
  /** How far the uptime advances with one command. */
  readonly #stepMs: number;
  readonly #stopTimer: Cancel;
  readonly #children: ChildDuties;
  #isNearCount = false;
  #isNearBytes = false;
  /** Until when nothing is pruned beside the steps: the last command found nothing that it may drop. */
  #fruitlessUntilMs = 0;
  readonly #calls: CallDuties;
  readonly #due: DueDuties;
  readonly #queues: QueueDuties;
  readonly #locks: LockDuties;
  #leads = false;
  #working = false;
  #again = false;
  #stopped = false;

  constructor(engine: WorkflowEngine, clock: Clock, logger: Logger, retention: Retention, probe?: RuntimeProbe) {
    this.#engine = engine;
    this.#clock = clock;
    this.#logger = logger;
    this.#retention = retention;
    this.#measuredAtMs = clock.monotonicMs();
    const shortestMs = Math.min(retention.retentionMs, ...(retention.rules ?? []).map((rule) => rule.retentionMs));
    this.#stepMs = Math.ceil(Math.min(Math.max(shortestMs / STEPS, PERIOD_MS), MAX_STEP_MS));
    const goOn = (): boolean => this.#leads && !this.#stopped;
    this.#children = new ChildDuties({ engine, clock, logger, goOn });
    this.#calls = new CallDuties({ engine, clock, logger, goOn });
    this.#due = new DueDuties({ engine, clock, logger, goOn, probe });
    this.#queues = new QueueDuties({ engine, clock, logger, goOn });
    this.#locks = new LockDuties({ engine, clock, logger, goOn });
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
        // The failure detector reports what it notices from then on, to the node that leads.
        this.#silent.clear();
        this.#queues.reset();
        this.#locks.reset();
        this.#measuredAtMs = this.#clock.monotonicMs();
        if (notice.isLocal) this.#due.begin();
        break;
      case "node-lost":
        this.#leads = true;
        this.#silent.set(notice.nodeId, 0);
        break;
      case "node-returned":
        this.#silent.delete(notice.nodeId);
        break;
      case "members-changed":
        break;
    }
    if (this.#leads) this.#look();
  }

  /** What the state says. */
  onEvent(event: WorkflowEvent): void {
    if (event.type === "run-ended" && this.#leads) this.#children.onEnd(event);
    if ((event.type === "update-answered" || event.type === "run-ended") && this.#leads) this.#calls.look();
    if (isForDue(event) && this.#leads) this.#due.look();
    if (event.type === "queue-changed" && this.#leads) this.#queues.onEvent(event);
    if (event.type === "lock-changed" && this.#leads) this.#locks.onChanged(event);
    if (event.type === "locks-told" && this.#leads) this.#locks.onTold(event);
    if (event.type === "run-stuck" && this.#leads) this.#reportStuck(event);
    if (event.type !== "node-changed") return;
    if (event.status === "live" && this.#silent.has(event.nodeId)) {
      this.#silent.set(event.nodeId, this.#clock.monotonicMs() + DOUBT_MS);
    }
    if (this.#leads) this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#stopTimer();
    this.#due.stop();
    this.#queues.stop();
    this.#locks.stop();
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
    const left = await this.#takeForLost(overview);
    await this.#move(Math.max(left, overview.size.toMove));
    this.#queues.look(overview.queues, overview.clockMs);
    this.#locks.look(overview.areLocksDue);
    await this.#prune(overview);
    this.#children.look(overview.hasClosingParents);
    this.#calls.look();
    this.#due.look();
  }

  /** Resolves with how many runs are left to be moved. */
  async #takeForLost({ nodes, members }: EngineOverview): Promise<number> {
    let left = 0;
    for (const { nodeId, incarnation, status } of nodes) {
      const forget = members.length > 0 && !members.includes(nodeId);
      if (!forget && (status === "lost" || !this.#isSilent(nodeId))) continue;
      const atMs = this.#clock.wallMs();
      const result = await this.#engine.propose({ kind: "NodeLost", nodeId, incarnation, atMs, forget });
      if (!isMoved(result)) continue;
      left = result.left;
      this.#logger.warn({ nodeId, forget, runs: result.moved + left }, "A node is lost. Its runs go to others.");
    }
    return left;
  }

  #isSilent(nodeId: NodeId): boolean {
    const notBeforeMs = this.#silent.get(nodeId);
    return notBeforeMs !== undefined && this.#clock.monotonicMs() >= notBeforeMs;
  }

  #reportStuck({ runId, workflowType, reason, mismatch, lastOwner }: RunStuck): void {
    this.#logger.error({ runId, workflowType, reason, mismatch, lastOwner }, STUCK_TEXTS[reason]);
  }

  /** Says before the finished runs meet a bound that runs will be dropped for it, and once until they are below it again. */
  #reportBounds({ finished, finishedBytes }: StateSize, maxFinishedRuns: number, maxFinishedBytes: number): void {
    const isNear = finished >= maxFinishedRuns * NEAR_BOUND;
    if (isNear && !this.#isNearCount) {
      this.#logger.warn(
        { finished, maxFinishedRuns },
        "Finished runs come near the number that is kept. The oldest are dropped beyond it, however young; raise maxFinishedRuns, or keep runs for a shorter time.",
      );
    }
    this.#isNearCount = isNear;
    const isLarge = finishedBytes >= maxFinishedBytes * NEAR_BOUND;
    if (isLarge && !this.#isNearBytes) {
      this.#logger.warn(
        { finishedBytes, maxFinishedBytes },
        "Finished runs come near the bytes that are kept of them. The oldest are dropped beyond it, however young; raise maxFinishedBytes, or keep runs for a shorter time.",
      );
    }
    this.#isNearBytes = isLarge;
  }

  /** LD3. */
  async #move(runs: number): Promise<void> {
    for (let left = runs; left > 0 && this.#leads && !this.#stopped; ) {
      const result = await this.#engine.propose({ kind: "MoveRuns", atMs: this.#clock.wallMs() });
      left = isMoved(result) && result.moved > 0 ? result.left : 0;
    }
  }

  /** LD4. */
  async #prune({ size, uptimeMs, oldestEndUptimeMs }: EngineOverview): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    // Nothing to keep count for; what ends next is kept from then on.
    if (oldestEndUptimeMs === undefined && size.tombstones === 0) this.#measuredAtMs = nowMs;
    const elapsedMs = Math.floor(Math.min(nowMs - this.#measuredAtMs, this.#stepMs + PERIOD_MS));
    const inSteps = (ms: number): number => Math.ceil(Math.min(ms, MAX_RETENTION_MS)) + this.#stepMs + PERIOD_MS;
    const retentionMs = inSteps(this.#retention.retentionMs);
    const rules = (this.#retention.rules ?? []).map((rule) => ({ ...rule, retentionMs: inSteps(rule.retentionMs) }));
    const keepAtMost = Math.floor(Math.min(this.#retention.maxFinishedRuns, MAX_KEPT));
    const isTime = elapsedMs >= this.#stepMs;
    const keepBytes = Math.floor(Math.min(this.#retention.maxFinishedBytes ?? MAX_BYTES, MAX_BYTES));
    const maxIds = Math.floor(Math.min(this.#retention.maxKeptIds ?? 0, MAX_KEPT));
    const keepIdsMs = Math.ceil(Math.min(this.#retention.keepIdsMs ?? 0, MAX_RETENTION_MS));
    const { onlyHandedOver = false } = this.#retention;
    this.#reportBounds(size, keepAtMost, keepBytes);
    // With rules the oldest run may be one that is kept for longer: what is old goes with the next step.
    const isOld = rules.length === 0 && oldestEndUptimeMs !== undefined && oldestEndUptimeMs + retentionMs <= uptimeMs;
    const isOver = size.finished > keepAtMost || size.finishedBytes > keepBytes || size.tombstones > maxIds;
    if (!isTime && ((!isOld && !isOver) || nowMs < this.#fruitlessUntilMs)) return;
    if (isTime) this.#measuredAtMs = nowMs;
    const uptime = { uptimeFromMs: uptimeMs, uptimeMs: isTime ? uptimeMs + elapsedMs : uptimeMs };
    for (;;) {
      const atMs = this.#clock.wallMs();
      const bounds = { keepAtMost, keepBytes, keepIdsMs, maxIds, onlyHandedOver, retentionMs, rules };
      const result = await this.#engine.propose({ kind: "Prune", atMs, ...uptime, ...bounds });
      if (!result.ok || result.kind !== "Pruned") return;
      if (result.pruned === 0 && !result.more) this.#fruitlessUntilMs = nowMs + this.#stepMs;
      if (!result.more || this.#stopped) return;
    }
  }
}

/** Whether there may be something to do at another time than before. */
function isForDue(event: WorkflowEvent): boolean {
  if (event.type === "run-started") return event.startAtMs > 0;
  return event.type === "schedule-changed" || (event.type === "run-ended" && event.isScheduled);
}

function isMoved(result: CommandResult): result is Moved {
  return result.ok && result.kind === "Moved";
}
