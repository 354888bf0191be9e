/**
 * What commands are applied to: the tables, the log clock and the event list of one state machine.
 *
 * Who executes a run:
 * O1. A run is executed by the process that holds the seat which the run is on. A run on a vacated seat, or on none, is not executed, and no
 *     command of any owner changes it.
 * O2. A run gets a new epoch whenever it is moved, and is moved only onto a seat that is held by a node which can do what it needs (its type and version, and its behaviours), or
 *     onto none while there is no such node.
 * O3. A run on a vacated seat, and a run on none and in no queue that a live node can execute, is to be moved: that is in the state itself, so the leader of the moment moves the
 *     next piece, and nothing is forgotten.
 * O4. A run whose cancellation was asked for does not wait for a node: it is cancelled when no node can take it, or would be stuck.
 * O5. A stuck, paused or delayed run is on no seat, and counts in no queue. {@link Tables.release} lets it wait in its queue, ahead of those that were created later; without a queue, it gives it to
 *     a node, and {@link Tables.retry} one whose code does not fit, to a process that registered later.
 * O6. A run whose time is over does not end as cancelled: it has failed with RUN_TIMED_OUT.
 * O7. A run of a paused type is given to no node (operators/paused-types.ts PT1 to PT3).
 */
import { invariant, type LogIndex, type NodeId, type StateStore } from "@raftoral/raft-core";
import { derivedSeed } from "../model/derived-seed.ts";
import { NOT_MENDED } from "../model/mending.ts";
import { afterHandOver, afterLoss, NO_LOSSES, STUCK_LOSSES } from "../model/runs/owner-losses.ts";
import type { Epoch, OwnerReason } from "../model/runs/ownership.ts";
import { childOrigin } from "../model/runs/parent.ts";
import { needsOf } from "../model/runs/run-needs.ts";
import { type RunOutcome, timedOut } from "../model/runs/run-outcome.ts";
import type { QueuePlace } from "../model/runs/run-queue.ts";
import { type CodeMismatch, clippedMismatch } from "../model/runs/stuck-reason.ts";
import type { NodeRecord } from "../nodes/node-record.ts";
import { NodeTable } from "../nodes/node-table.ts";
import type { Seat } from "../nodes/seat.ts";
import { HEADER_KEY, numberKey } from "../records/state-keys.ts";
import { LockTable } from "./locks/lock-table.ts";
import { AuditLog } from "./operators/audit-log.ts";
import { PausedTypes } from "./operators/paused-types.ts";
import { hasRoom, nodeOf } from "./queues/placing.ts";
import type { QueueTable } from "./queues/queue-table.ts";
import { ChildTable } from "./runs/child-table.ts";
import { factsOf, limitAt } from "./runs/run-facts.ts";
import type { RunningHead, RunRecord } from "./runs/run-record.ts";
import { RunTable } from "./runs/run-table.ts";
import { ScheduleTable } from "./schedules/schedule-table.ts";
import { decodeHeader, encodeHeader } from "./state-header.ts";
import { StreamTable } from "./streams/stream-table.ts";
import { OwedAnswers } from "./updates/owed-answers.ts";
import { UpdateTable } from "./updates/update-table.ts";
import type { RunStuck, WorkflowEvent } from "./workflow-event.ts";

/** Signal ids that a run which has ended remembers. */
const MAX_SIGNAL_IDS_AFTER_END = 16;
const NO_SEAT = Object.freeze({ nodeId: 0, seat: 0 });

/** Reasons for which a run goes to another owner without having been handed over. */
const LOSSES: ReadonlySet<OwnerReason> = new Set(["node-failure", "restart"]);

/** Where a run goes. */
interface Move {
  readonly to: NodeId;
  readonly seat: Seat;
  readonly reason: OwnerReason;
}

/** The tables of one state machine, over one store. Commands change them in `apply`, and nothing else does (O1 to O6). */
export class Tables {
  readonly runs: RunTable;
  readonly nodes: NodeTable;
  readonly streams: StreamTable;
  readonly children: ChildTable;
  readonly updates: UpdateTable;
  readonly owed: OwedAnswers;
  readonly schedules: ScheduleTable;
  readonly locks: LockTable;
  readonly pausedTypes: PausedTypes;
  readonly audit: AuditLog;
  /** The log clock: never goes back, whatever proposers' clocks do. ms since the epoch. */
  clock: number;
  /** The latest ownership handed out. */
  lastEpoch: Epoch;
  /** What a process of the cluster has drawn at random: no other cluster has it. */
  salt: string;
  /** How long leaders have led, in ms: stands still while no node leads, and never jumps. */
  uptimeMs: number;
  /** Place in the log of the command that is being applied, or was applied last. */
  index: LogIndex;
  /** What happened since somebody last took the list. */
  events: WorkflowEvent[] = [];

  readonly #store: StateStore;

  /** The tables as the store has them. `cacheBytes` bounds what is kept decoded beside it. */
  constructor(store: StateStore, cacheBytes: number) {
    const header = decodeHeader(store.get(HEADER_KEY));
    this.#store = store;
    this.runs = new RunTable(store, header, cacheBytes);
    this.nodes = new NodeTable(store, (type) => this.pausedTypes.has(type));
    this.streams = new StreamTable(store);
    this.children = new ChildTable(store);
    this.owed = new OwedAnswers(store);
    this.schedules = new ScheduleTable(store);
    this.locks = new LockTable(store);
    this.pausedTypes = new PausedTypes(store);
    this.audit = new AuditLog(store, header);
    this.updates = new UpdateTable(store, this.owed);
    this.clock = header.clock;
    this.lastEpoch = header.lastEpoch;
    this.salt = header.salt;
    this.uptimeMs = header.uptimeMs;
    this.index = store.appliedIndex;
  }

  /** Everything applied so far belongs together: after a crash the store has all of it, or none. */
  commit(): void {
    const { clock, lastEpoch, salt, uptimeMs } = this;
    this.runs.save();
    this.locks.save();
    const header = { clock, lastEpoch, salt, uptimeMs, ...this.runs.counts, ...this.audit.totals };
    this.#store.put(HEADER_KEY, encodeHeader(header));
    this.#store.commit(this.index);
  }

  get queues(): QueueTable {
    return this.runs.queues;
  }

  readonly loadOf = (seat: Seat): number => this.runs.places.loadOf(seat);

  /** Who executes a run now, or ended it; 0 for no node (O1). */
  ownerOf({ head }: RunRecord): NodeId {
    if (head.status === "finished") return head.owner;
    return this.nodes.holds(head.owner, head.seat) ? head.owner : 0;
  }

  /** Runs that are to be moved (O3). */
  get toMove(): number {
    let runs = 0;
    for (const { seat } of this.nodes.vacated()) runs += this.runs.places.loadOf(seat);
    for (const needs of this.runs.places.waiting()) {
      if (this.nodes.choose(needs, this.loadOf) !== undefined) runs += needs.runs;
    }
    for (const [, held] of this.held(1)) runs += held.length;
    return runs;
  }

  /**
   * Runs that were held because code did not fit, and the live nodes that have registered their type and version since then: places in the log of at most `limit` runs for
   * each.
   */
  *held(limit: number): Generator<readonly [NodeRecord, readonly number[]]> {
    if (this.runs.places.stuckCount === 0) return;
    for (const node of this.nodes.all()) {
      if (node.status !== "live") continue;
      // A seat has the number of its registration in the log. Runs of paused types stay where they are (paused-types.ts PT1).
      const { behaviourLevel, seat } = node;
      for (const type of node.types.filter((each) => !this.pausedTypes.has(each.type)))
        yield [node, this.runs.places.startsHeldBefore({ ...type, behaviourLevel }, seat, limit)];
    }
  }

  /**
   * The node for a run that has no place in a queue, or was let through: the one preferred if it can take the run, else the best one that can, on no seat of
   * `except` (queues/admission.ts Q2).
   */
  nodeFor(run: RunRecord, prefer: NodeId = 0, except: readonly Seat[] = []): NodeRecord | undefined {
    const needs = needsOf(run);
    const preferred = this.nodes.taker(prefer, needs);
    const place = run.head.status === "running" ? run.head.queued : undefined;
    const queue = place === undefined ? undefined : this.queues.withId(place.queueId);
    if (queue === undefined) return preferred ?? this.nodes.choose(needs, this.loadOf, except);
    if (preferred !== undefined && hasRoom(queue, preferred.seat)) return preferred;
    return nodeOf(this, queue, needs, except);
  }

  /** Lets a run through its queue, onto the seat of `node`. Its time begins now. */
  admit(run: RunRecord, node: NodeRecord): void {
    const { head, queue } = run;
    invariant(head.status === "running" && head.queued !== undefined, () => `run ${run.runId} is in no queue`);
    const { runTimeoutMs = 0, key = "" } = queue ?? {};
    if (runTimeoutMs > 0 && run.deadlineAtMs === 0) run.deadlineAtMs = limitAt(this.clock, runTimeoutMs);
    const place = head.queued;
    const queued = { ...place, stage: "admitted" as const };
    this.#move(run, { ...head, queued }, { to: node.nodeId, seat: node.seat, reason: "admission" });
    this.queues.served(place.queueId, key);
  }

  /** A node can take a run that was let through before. */
  place(run: RunRecord, { nodeId: to, seat }: NodeRecord): void {
    const { head } = run;
    invariant(head.status === "running", () => `run ${run.runId} has ended`);
    this.#move(run, head, { to, seat, reason: "adoption" });
  }

  /** A delayed run waits for its turn from now on. */
  undelay(run: RunRecord): void {
    const { head } = run;
    invariant(head.status === "running", () => `run ${run.runId} has ended`);
    this.queues.unclaim(run);
    this.runs.update(run, { ...head, queued: this.#placeOf(run) });
  }

  #placeOf(run: RunRecord): QueuePlace | undefined {
    return this.queues.placeOf({ queue: run.queue, startIndex: run.startIndex, needs: needsOf(run) });
  }

  nextEpoch(): Epoch {
    this.lastEpoch += 1;
    return this.lastEpoch;
  }

  /** Moves a running run onto the seat of `node`, or onto none, under a new epoch (O2, O4). */
  assign(run: RunRecord, node: NodeRecord | undefined, reason: OwnerReason): void {
    const head = run.head;
    invariant(head.status === "running", () => `run ${run.runId} has ended and has no owner`);
    const losses = LOSSES.has(reason) ? afterLoss(head.losses, this.clock) : afterHandOver(head.losses);
    const isStuck = losses.count >= STUCK_LOSSES;
    const { nodeId: to, seat } = isStuck || node === undefined ? NO_SEAT : node;
    if (to === 0 && head.cancelReason !== undefined && !this.pausedTypes.has(run.workflowType)) {
      this.finish(run, head, { status: "cancelled", reason: head.cancelReason });
      return;
    }
    const stuck = isStuck ? "owner-losses" : undefined;
    this.#move(run, { ...head, losses, stuck }, { to, seat, reason: isStuck ? "stuck" : reason });
    if (stuck !== undefined) this.#saidStuck(run, head.owner, stuck, undefined);
  }

  /**
   * Gives a run whose code does not fit to a live process that has not tried it. If all have, takes it off its seat until a process registers its type and version, or
   * somebody resumes it (O4, O5).
   */
  hold(run: RunRecord, head: RunningHead, mismatch: CodeMismatch): void {
    if (head.cancelReason !== undefined) {
      this.finish(run, head, { status: "cancelled", reason: head.cancelReason });
      return;
    }
    const tried = [...head.tried.filter((seat) => this.nodes.isHeld(seat)), head.seat];
    // A queue may leave no room on a node whose code fits: then the run waits for that.
    if (this.nodes.choose(needsOf(run), this.loadOf, tried) !== undefined) {
      const { nodeId: to, seat } = this.nodeFor(run, 0, tried) ?? NO_SEAT;
      this.#move(run, { ...head, tried }, { to, seat, reason: "load-balancing" });
      return;
    }
    const held = { ...clippedMismatch(mismatch), heldAt: this.index };
    this.#move(run, { ...head, tried, stuck: "code-mismatch", mismatch: held }, { ...NO_SEAT, to: 0, reason: "stuck" });
    this.#saidStuck(run, head.owner, "code-mismatch", held);
  }

  /** Gives a held run to a node that has registered after it was held (O5). */
  retry(run: RunRecord, { nodeId: to, seat }: NodeRecord): void {
    const { head } = run;
    invariant(head.status === "running" && head.mismatch !== undefined, () => `run ${run.runId} is not held`);
    if (this.#placeOf(run) !== undefined) {
      this.release(run, head, "adoption");
      return;
    }
    this.#move(run, { ...head, stuck: undefined, mismatch: undefined }, { to, seat, reason: "adoption" });
  }

  #saidStuck(run: RunRecord, lastOwner: NodeId, reason: RunStuck["reason"], mismatch: CodeMismatch | undefined): void {
    const { index, clock: atMs } = this;
    const { runId, workflowType } = run;
    this.events.push({ type: "run-stuck", index, atMs, runId, workflowType, reason, mismatch, lastOwner });
  }

  /** Lets a run on no seat go on, as if it had lost no owner and had not been paused (O4, O5). */
  release(run: RunRecord, head: RunningHead, reason: OwnerReason = "resume"): void {
    const queued = this.#placeOf(run);
    const node = queued === undefined ? this.nodes.choose(needsOf(run), this.loadOf) : undefined;
    const { nodeId: to, seat } = node ?? NO_SEAT;
    const open = { stuck: undefined, mismatch: undefined, tried: [], pauseReason: undefined, queued };
    this.#move(run, { ...head, losses: NO_LOSSES, ...open }, { to, seat, reason });
    const { head: released } = run;
    const isDue = head.cancelReason !== undefined && !this.pausedTypes.has(run.workflowType);
    if (to === 0 && head.cancelReason !== undefined && isDue && released.status === "running")
      this.finish(run, released, { status: "cancelled", reason: head.cancelReason });
  }

  /** Lets a delayed run begin, with its time limit counted from now (O5). */
  begin(run: RunRecord, head: RunningHead): void {
    const { startAtMs, deadlineAtMs } = run;
    const limitMs = deadlineAtMs === 0 ? 0 : deadlineAtMs - startAtMs;
    const rebased = limitMs === 0 ? 0 : Math.min(this.clock + limitMs, Number.MAX_SAFE_INTEGER);
    this.release(this.runs.rebase(run, rebased), head, "start");
  }

  /** Takes a run off its seat until somebody resumes it (O5). */
  pause(run: RunRecord, head: RunningHead, pauseReason: string): void {
    const paused = { stuck: "paused", mismatch: undefined, pauseReason } as const;
    this.#move(run, { ...head, ...paused }, { ...NO_SEAT, to: 0, reason: "mending" });
  }

  /** Lets a run that was paused before it began wait for its beginning again (O5). */
  delay(run: RunRecord, head: RunningHead): void {
    this.#move(run, { ...head, stuck: "delayed", pauseReason: undefined }, { ...NO_SEAT, to: 0, reason: "resume" });
  }

  /** Has the owner of a run begin again with it, under a new epoch: what the owner knows of it is not all any more. */
  restart(run: RunRecord, head: RunningHead): void {
    if (head.seat !== 0) this.#move(run, head, { to: head.owner, seat: head.seat, reason: "mending" });
  }

  #move(run: RunRecord, given: RunningHead, { to, seat, reason }: Move): void {
    // A run that no node is to execute takes no place of others.
    const head = given.stuck === undefined ? given : { ...given, queued: undefined };
    const epoch = this.nextEpoch();
    const attempt = to === 0 || (seat === head.seat && to === head.owner) ? head.attempt : head.attempt + 1;
    this.runs.update(run, { ...head, owner: to, seat, epoch, reason, attempt });
    const { runId, workflowType, family, deadlineAtMs } = run;
    const { cancelReason } = head;
    const facts = { runId, workflowType, family, deadlineAtMs, cancelReason, ownerLosses: head.losses.count };
    const at = { index: this.index, atMs: this.clock };
    this.events.push({ type: "owner-changed", ...at, ...facts, from: head.owner, to, epoch, reason });
  }

  /** Begins the next generation of a running run, on the same seat and under a new epoch. The seat's node has registered the version. */
  continue(
    run: RunRecord,
    before: RunningHead,
    input: Uint8Array,
    version: number,
  ): RunRecord & { readonly head: RunningHead } {
    const { runId, workflowType, parent, startIndex, deadlineAtMs, trace, attributes } = run;
    const { owner, seat, cancelReason, isTimedOut, hasChildren, signalIds, updates } = before;
    const generation = run.generation + 1;
    const seed = derivedSeed(`${run.seed.join()}:${generation}`);
    // Its history is empty: no replay of it has the old behaviours.
    const behaviourLevel = this.nodes.commonLevel;
    const own = { version, seed, generation, startIndex: this.index, initialAttributes: attributes, startAtMs: 0 };
    const facts = { ...factsOf(run), ...own, behaviourLevel };
    const kept = { owner, seat, reason: before.reason, cancelReason, isTimedOut, hasChildren, signalIds, updates };
    const epoch = this.nextEpoch();
    const needs = { ...needsOf(run), version, behaviourLevel };
    const queued = before.queued === undefined ? undefined : this.queues.relaned(before.queued, needs);
    const fresh = {
      queued,
      status: "running",
      epoch,
      attempt: 1,
      losses: NO_LOSSES,
      stuck: undefined,
      mismatch: undefined,
      tried: [],
      stepsInProgress: 0,
      pauseReason: undefined,
      mending: NOT_MENDED,
    } as const;
    const head: RunningHead = { ...kept, ...fresh };
    this.updates.move(run, numberKey(this.index));
    if (run.hasAsked) this.locks.runEnded(run.startIndex);
    const next = this.runs.continue(run, facts, head, input);
    if (parent !== undefined) {
      this.children.remove(parent.family, startIndex);
      this.children.add(parent.family, this.index);
    }
    const signals = next.signals.map(({ name }) => name);
    const open = this.updates.open(next);
    const at = { index: this.index, atMs: this.clock };
    const begun = {
      generation,
      family: run.family,
      deadlineAtMs,
      trace,
      behaviourLevel,
      initialAttributes: attributes,
      calledBy: childOrigin(parent),
    };
    // A run that is to be paused is begun by no owner.
    const rests = this.pausedTypes.has(workflowType);
    const beginner = before.pauseReason === undefined && !rests ? owner : 0;
    const identity = { runId, workflowType, version, owner: beginner, epoch, ...begun };
    this.events.push({ type: "run-continued", ...at, ...identity, input, seed, cancelReason, signals, updates: open });
    if (before.pauseReason !== undefined) this.pause(next, head, before.pauseReason);
    else if (rests) this.release(next, head);
    return { ...next, head };
  }

  finish(run: RunRecord, head: RunningHead, given: RunOutcome): void {
    const outcome = head.isTimedOut && given.status === "cancelled" ? timedOut(run.runId) : given;
    const { owner, epoch, attempt, cancelReason, mending } = head;
    const atMs = this.clock;
    const signalIds = head.signalIds.slice(-MAX_SIGNAL_IDS_AFTER_END);
    const end = { outcome: outcome.status, endedAtMs: atMs, endIndex: this.index, endedUptimeMs: this.uptimeMs };
    const updates = this.updates.close(run);
    const ended = { ...end, cancelReason, signalIds, updates, owner, epoch, attempt, mending };
    this.runs.finish(run, { status: "finished", ...ended }, outcome);
    if (run.hasAsked) this.locks.runEnded(run.startIndex);
    if (run.schedule !== undefined) this.schedules.ended(run.schedule, run.family);
    const { runId, workflowType, parent, startIndex } = run;
    if (parent !== undefined) {
      this.children.remove(parent.family, startIndex);
      this.children.report(startIndex);
    }
    const isChild = parent !== undefined;
    const leavesChildren = head.hasChildren && this.children.close(run.family);
    const isScheduled = run.schedule !== undefined;
    const facts = { runId, workflowType, outcome, owner, epoch, isChild, leavesChildren, isScheduled };
    this.events.push({ type: "run-ended", index: this.index, atMs, ...facts });
  }
}
