/** Queues, as commands, runs and the state speak of them. */
import { named, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";

/** What a queue lets through. 0 stands for no limit. */
export interface QueueLimits {
  /** Runs of the queue that are executed at once. */
  readonly concurrency: number;
  /** Of these, with one key. Runs without a key have no such limit. */
  readonly perKey: number;
  /** Of these, on one process of a node. */
  readonly perNode: number;
  /** Runs that begin in any time of `ratePeriodMs`. */
  readonly rateLimit: number;
  /** The time of the rate, in ms. */
  readonly ratePeriodMs: number;
}

export const NO_LIMITS: QueueLimits = Object.freeze({
  concurrency: 0,
  perKey: 0,
  perNode: 0,
  rateLimit: 0,
  ratePeriodMs: 0,
});

export const queueLimitsCodec = messageCodec<QueueLimits>(
  { concurrency: uint(1), perKey: uint(2), perNode: uint(3), rateLimit: uint(4), ratePeriodMs: uint(5) },
  {},
);

/** Longest name of a queue, and longest key of a run, in UTF-16 units. */
export const MAX_QUEUE_NAME_LENGTH = 200;
/** Numbers of a priority: from 0 to this one. The middle one is what callers know as 0. */
export const MAX_PRIORITY_NUMBER = 2_000;
/** The number that stands for the priority 0. */
export const PRIORITY_ZERO = 1_000;
/** Longest time that a limit or a debounce may name, in ms. */
export const MAX_QUEUE_MS = 2 ** 45;

/** The queue of a run, as its start names it. */
export interface RunQueue {
  readonly name: string;
  /** What the run shares `perKey` and its turn with; empty for a run without a key. */
  readonly key: string;
  /** Runs with a higher number go first: {@link PRIORITY_ZERO} in the middle. */
  readonly priority: number;
  /** While a run of the queue has it that has not ended, a start with it gives that run. Empty: none. */
  readonly dedupeKey: string;
  /** How long the run waits for a later start with its `dedupeKey`, whose input takes the place of its own, in ms. 0: not at all. */
  readonly debounceMs: number;
  /** For how long such starts may put it off altogether, in ms. */
  readonly debounceMaxMs: number;
  /** How long the run may take once it is let through, in ms. 0: without a limit. */
  readonly runTimeoutMs: number;
}

export const NO_RUN_QUEUE: RunQueue = Object.freeze({
  name: "",
  key: "",
  priority: PRIORITY_ZERO,
  dedupeKey: "",
  debounceMs: 0,
  debounceMaxMs: 0,
  runTimeoutMs: 0,
});

export const runQueueCodec = messageCodec<RunQueue>(
  {
    name: string(1),
    key: string(2),
    priority: uint(3),
    dedupeKey: string(4),
    debounceMs: uint(5),
    debounceMaxMs: uint(6),
    runTimeoutMs: uint(7),
  },
  {},
);

/**
 * Where a run is in its queue. `waiting`: for its turn. `delayed`: for its time. `admitted`: it counts, on a seat or until it has one.
 * Positions are the numbers in the state's records.
 */
export const QUEUE_STAGES = ["waiting", "delayed", "admitted"] as const;
/** One of these. */
export type QueueStage = (typeof QUEUE_STAGES)[number];

/** The place of a run in a queue. The ids are the state's, and name queue, key and lane while something is in them. */
export interface QueuePlace {
  readonly stage: QueueStage;
  readonly queueId: number;
  readonly keyId: number;
  readonly laneId: number;
  /** When a delayed run is due, in ms of the log clock, and when it is at the latest; 0 for another run. */
  readonly dueAtMs: number;
  readonly latestAtMs: number;
}

/** As the run's record has it. */
export const queuePlaceCodec = messageCodec<QueuePlace>(
  {
    stage: named(1, QUEUE_STAGES, "stage of a queued run"),
    queueId: uint(2),
    keyId: uint(3),
    laneId: uint(4),
    dueAtMs: uint(5),
    latestAtMs: uint(6),
  },
  {},
);
