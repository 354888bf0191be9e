/**
 * Trials of suspects on one node: runs whose owners ended one after the other (model/runs/owner-losses.ts).
 *
 * TL1. A node has one trial at a time, in the order in which its suspects came. The others have no body meanwhile.
 * TL2. The body of a suspect begins once the state has the beginning of its trial, so that its end says of whose doing it was.
 * TL3. A trial is over when the run has a new record, ends or leaves this node. A body that has been at rest for a while (it sleeps or waits), or has gone on for
 *      long, has come through, and the state is told before the next trial begins.
 * TL4. The more suspects wait, the shorter a trial: its times are at most `REST_BUDGET_MS` and `TRIAL_BUDGET_MS` divided by the number of suspects. 10,000 that
 *      come to rest at once are through in some 80 s and two commits for each.
 */
import type { Cancel, Clock, Logger, NodeId } from "@raftoral/raft-core";
import type { Epoch } from "../../model/runs/ownership.ts";
import { outsideBodies } from "../body/body-place.ts";
import type { Proposer } from "../engine/retrying-proposer.ts";
import { Slots } from "./slots.ts";

/** How long a body is at rest until it has come through, in ms. */
export const REST_MS = 1_000;
const REST_BUDGET_MS = 10_000;
/** How long a trial takes at most, in ms. */
export const TRIAL_MS = 600_000;
const TRIAL_BUDGET_MS = 600_000;

/** What trials need of a node. */
export interface TrialSetting {
  readonly nodeId: NodeId;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly proposer: Proposer;
}

/** A suspect of this node. */
export interface TriedRun {
  readonly runId: string;
  readonly epoch: Epoch;
}

/** The trials of one node: lets its suspects in one by one, and tells the state when a trial begins and when a run has come through (TL1 to TL4). */
export class Trials {
  readonly #setting: TrialSetting;
  readonly #turns = new Slots(1);
  #current: Trial | undefined;

  constructor(setting: TrialSetting) {
    this.#setting = setting;
  }

  /** The trial of a suspect, which waits for its turn (TL1). */
  of(run: TriedRun): Trial {
    const trial = new Trial(run, this.#setting, {
      turns: this.#turns,
      begun: () => {
        this.#current = trial;
      },
    });
    return trial;
  }

  /** Before an orderly stop: the run on trial has come through. Resolves when the state has it, or cannot be told. */
  async settle(): Promise<void> {
    await this.#current?.comeThrough();
  }
}

/** What a trial needs of the others. */
interface TrialQueue {
  readonly turns: Slots;
  begun(): void;
}

/** The trial of one run on this node. */
export class Trial {
  readonly #run: TriedRun;
  readonly #setting: TrialSetting;
  readonly #queue: TrialQueue;
  readonly #turn = Promise.withResolvers<boolean>();
  readonly #leaveQueue: () => boolean;
  #phase: "queued" | "turn" | "tried" | "told" | "over" = "queued";
  #stopRest: Cancel = () => {};
  #stopTrial: Cancel = () => {};
  #told: Promise<void> | undefined;
  readonly #ended = Promise.withResolvers<void>();

  constructor(run: TriedRun, setting: TrialSetting, queue: TrialQueue) {
    this.#run = run;
    this.#setting = setting;
    this.#queue = queue;
    const given = (): void => {
      this.#phase = "turn";
      this.#turn.resolve(true);
    };
    if (queue.turns.tryTake()) {
      this.#leaveQueue = () => false;
      given();
    } else {
      this.#leaveQueue = queue.turns.enqueue(given);
    }
  }

  /** Resolves with true when it is this run's turn, and with false when the run has gone before. */
  get turn(): Promise<boolean> {
    return this.#turn.promise;
  }

  /** Whether the trial is over. */
  get isOver(): boolean {
    return this.#phase === "over";
  }

  /** Resolves when the trial is over. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Tells the state that the trial begins (TL2). Resolves with whether it does. */
  async begin(): Promise<boolean> {
    if (this.#phase !== "turn") return false;
    this.#queue.begun();
    const isCommitted = await this.#tell(false);
    if (!isCommitted || this.#phase !== "turn") return false;
    this.#phase = "tried";
    this.#stopTrial = this.#setting.clock.after(this.#share(TRIAL_MS, TRIAL_BUDGET_MS), () => void this.comeThrough());
    return true;
  }

  /** Whether the body is at rest changes. */
  atRest(isAtRest: boolean): void {
    this.#stopRest();
    if (!isAtRest || this.#phase !== "tried") return;
    this.#stopRest = this.#setting.clock.after(this.#share(REST_MS, REST_BUDGET_MS), () => void this.comeThrough());
  }

  /** The run has come through: the state is told, then the next trial begins (TL3). */
  async comeThrough(): Promise<void> {
    if (this.#phase === "tried") {
      this.#phase = "told";
      this.#stopTimers();
      this.#told = this.#tell(true).then(() => this.over());
    }
    await this.#told;
  }

  /** The run has made progress, or is not this node's any more. Idempotent. */
  over(): void {
    if (this.#phase === "over") return;
    const hadTurn = this.#phase !== "queued" || !this.#leaveQueue();
    this.#phase = "over";
    this.#stopTimers();
    this.#turn.resolve(false);
    this.#ended.resolve();
    if (hadTurn) this.#queue.turns.release();
  }

  #stopTimers(): void {
    this.#stopRest();
    this.#stopTrial();
  }

  /** TL4. */
  #share(ms: number, budgetMs: number): number {
    return Math.min(ms, budgetMs / (this.#queue.turns.waiting + 1));
  }

  async #tell(isOver: boolean): Promise<boolean> {
    const { runId, epoch } = this.#run;
    const { nodeId: owner, clock, proposer, logger } = this.#setting;
    const command = { kind: "Trial", runId, isOver, atMs: clock.wallMs(), owner, epoch } as const;
    const goOn = (): boolean => this.#phase !== "over";
    try {
      const result = await outsideBodies(() => proposer.propose(command, { goOn }));
      return result.ok;
    } catch (error) {
      if (goOn()) logger.debug({ runId, err: error }, "a trial could not be told to the cluster");
      return false;
    }
  }
}
