/** Queues: runs that wait for their turn, and the limits that they wait for. */
import type { NodeId } from "@raftoral/raft-core";
import type { ReadOptions, ReasonOptions } from "../call-options.ts";

/** What a queue lets through. What is left out is not limited. */
export interface QueueLimits {
  /** Runs that are executed at once, over all nodes. */
  readonly concurrency?: number;
  /** Of these, with one key. Runs without a key have no such limit. */
  readonly perKey?: number;
  /** Of these, on one node. */
  readonly perNode?: number;
  /** At most `limit` runs begin in any `periodMs` milliseconds. */
  readonly rate?: QueueRate;
}

/** How often runs begin. */
export interface QueueRate {
  readonly limit: number;
  readonly periodMs: number;
}

/**
 * What a run waits for in its queue. `concurrency`, `key`, `node`, `rate`: that limit of the queue. `node` also: a live node that can execute the run. `paused`: the queue is.
 * `turn`: for runs that go first. `delay`: for its time, because its start was debounced.
 */
export type QueueWait = "concurrency" | "key" | "node" | "rate" | "paused" | "turn" | "delay";

/** A run's queue, and where the run is in it. */
export interface QueueOfRun {
  readonly name: string;
  /** Undefined for a run without one. */
  readonly key: string | undefined;
  readonly priority: number;
  /** What a `queued` run waits for; undefined for every other. Later versions have more. */
  readonly waitsFor: QueueWait | (string & {}) | undefined;
  /** Its place among the waiting runs with its key, from 1; undefined for a run that does not wait, beyond the first 1,000, and in a list. */
  readonly position: number | undefined;
}

/** A queue. */
export interface QueueInfo {
  readonly name: string;
  readonly limits: QueueLimits;
  readonly isPaused: boolean;
  /** Runs that wait for their turn. */
  readonly waiting: number;
  /** Runs that wait for their time, because their starts were debounced. */
  readonly delayed: number;
  /** Runs that were let through and have not ended; paused and stuck ones do not count. */
  readonly running: number;
  /** Runs that were let through so far. */
  readonly admitted: number;
  /** When the oldest of the waiting and delayed runs was created, in milliseconds since the epoch; undefined when there is none. */
  readonly oldestAtMs: number | undefined;
  /** Why no run is let through, whatever its key; undefined when one may be. */
  readonly closedBy: QueueWait | (string & {}) | undefined;
  /** Nodes that execute runs of it, and how many. */
  readonly nodes: readonly { readonly nodeId: NodeId; readonly running: number }[];
}

/** Makes queues and tells of them. What changes something is recorded in the audit. */
export interface Queues {
  /**
   * Makes a queue, or gives it these limits in the place of those that it had. Lower ones end no run: others follow once there are fewer. Resolves once it is committed. Rejects
   * with NAME_INVALID, REQUEST_INVALID, or QUEUE_LIMIT_REACHED for the 1,001st queue.
   */
  define(name: string, limits?: QueueLimits, options?: ReasonOptions): Promise<void>;
  /** A queue; undefined when there is none of this name. */
  get(name: string, options?: ReadOptions): Promise<QueueInfo | undefined>;
  /** All queues, by name. */
  list(options?: ReadOptions): Promise<readonly QueueInfo[]>;
  /** Holds back the runs that wait; those that were let through go on. Rejects with QUEUE_NOT_FOUND. */
  pause(name: string, options?: ReasonOptions): Promise<void>;
  /** Lets runs through again. Rejects with QUEUE_NOT_FOUND. */
  resume(name: string, options?: ReasonOptions): Promise<void>;
  /** Forgets a queue; one that is not there is taken for deleted. Rejects with QUEUE_NOT_EMPTY while a run of it has not ended, stuck and paused ones included. */
  delete(name: string, options?: ReasonOptions): Promise<void>;
}

/** What is done to a queue, checked. */
export type QueueChange =
  | { readonly kind: "define"; readonly limits: QueueLimits }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "delete" };
