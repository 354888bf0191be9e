/**
 * How a node goes: what it hands to others before it stops, and how it leaves the cluster for good.
 *
 * Invariants:
 * D1. Handing over ends within its time, and at once when the cluster has no node left to take anything.
 * D2. A node that cannot hand over goes all the same: the others take its runs over once it is silent.
 * D3. A node leaves once. Nothing is handed over before a quorum has answered, and when leaving fails all the same the node is
 *     a member as before: it executes again.
 * D4. Leaving ends within its time.
 */
import { type Cancel, type Clock, type Logger, NONE, RaftoralError } from "@raftoral/raft-core";
import type { WorkflowRuntime } from "@raftoral/workflow";
import { Deadline, type Timeout } from "../../time/deadline.ts";
import { within } from "../../time/within.ts";
import { lastMember, type Membership, type WorkflowCluster } from "../membership/membership.ts";

/** What a departure needs. */
export interface DepartureOptions {
  readonly cluster: WorkflowCluster;
  readonly membership: Membership;
  readonly runtime: WorkflowRuntime;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Elections are over sooner: a cluster without a leader for longer has lost its quorum, e.g. because all of it stops. */
const QUORUM_LOST_MS = 1_000;
/** A voter that is alive takes the leadership in two rounds of messages. */
const TRANSFER_MS = 2_000;

/** The departure of one node (D1 to D4): draining before a stop, and leaving. */
export class Departure {
  readonly #options: DepartureOptions;
  readonly #left = Promise.withResolvers<"left">();
  #leaving: Promise<void> | undefined;

  constructor(options: DepartureOptions) {
    this.#options = options;
  }

  /** Whether this node is on its way out of the configuration, or is out. */
  get isLeaving(): boolean {
    return this.#leaving !== undefined;
  }

  /** Resolves once this node is no member any more because it wanted to leave. */
  get left(): Promise<"left"> {
    return this.#left.promise;
  }

  /** Hands over what this node has, before it stops (D1, D2). Never rejects. */
  async handOver(timeoutMs: number): Promise<void> {
    const { cluster, membership, logger } = this.#options;
    if (this.isLeaving || cluster.failure !== undefined || cluster.leader === NONE) return;
    if (!this.#hasOtherVoters()) return await this.#settleTrials(timeoutMs);
    const { lost, dispose } = this.#quorumLost();
    const attempts = new Attempts(logger);
    await Promise.race([this.#handOverRuns((timeoutMs * 3) / 4, attempts), lost]);
    if (cluster.isLeader) {
      const limit = { timeoutMs: Math.min(timeoutMs / 4, TRANSFER_MS) };
      const transferred = attempts.make("the leadership was not handed over", membership.transfer(undefined, limit));
      await Promise.race([transferred, lost]);
    }
    attempts.end();
    dispose();
  }

  /** Leaves the cluster (D3). Rejects with LAST_MEMBER, NO_LEADER or DEADLINE_EXCEEDED. */
  leave(timeout: Timeout): Promise<void> {
    if (this.#leaving !== undefined) return this.#leaving;
    const leaving = this.#leave(timeout);
    this.#leaving = leaving;
    leaving.catch(() => {
      this.#leaving = undefined;
    });
    return leaving;
  }

  async #leave(timeout: Timeout): Promise<void> {
    const { cluster, membership, logger } = this.#options;
    const { nodeId } = cluster;
    if (!this.#hasOtherVoters()) throw lastMember(nodeId);
    const deadline = new Deadline(timeout, this.#options.clock);
    await cluster.readIndex(deadline.left());
    if (cluster.isLeader) await membership.transfer(undefined, deadline.left());
    try {
      await this.#handOverRuns(deadline.left(3 / 4).timeoutMs, new Attempts(logger));
      await membership.remove(nodeId, deadline.left());
    } catch (error) {
      if (membership.members().some((member) => member.nodeId === nodeId)) {
        this.#resume();
        throw error;
      }
      logger.warn({ err: error }, "the removal was not answered in order, but it is in force");
    }
    logger.info({ nodeId }, "left the cluster");
    this.#left.resolve("left");
  }

  /** Not waited for: it begins by waiting for what was handed over too slowly. */
  #resume(): void {
    const { runtime, logger } = this.#options;
    logger.warn({}, "this node could not leave; it is a member as before and executes runs again");
    runtime.resume().catch((error: unknown) => logger.error({ err: error }, "this node could not go on executing"));
  }

  #hasOtherVoters(): boolean {
    const { cluster, membership } = this.#options;
    return membership.members().some((member) => member.voter && member.nodeId !== cluster.nodeId);
  }

  async #handOverRuns(timeoutMs: number, attempts: Attempts): Promise<void> {
    const { runtime, clock } = this.#options;
    const drained = within(runtime.drain(), { timeoutMs }, "Handing over runs", clock);
    await attempts.make("runs were not handed over", drained);
  }

  /** The runs stay, and are not held responsible for this stop. */
  async #settleTrials(timeoutMs: number): Promise<void> {
    const { runtime, clock, logger } = this.#options;
    const settled = within(runtime.settleTrials(), { timeoutMs }, "Ending the trial of a run", clock);
    await new Attempts(logger).make("the trial of a run goes on", settled);
  }

  /** `lost` resolves once no leader has been known for a while. */
  #quorumLost(): { readonly lost: Promise<void>; dispose(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { cluster, clock } = this.#options;
    let cancel: Cancel | undefined;
    const stopListening = cluster.on((event) => {
      if (event.type !== "leader") return;
      cancel?.();
      cancel = event.leader === NONE ? clock.after(QUORUM_LOST_MS, resolve) : undefined;
    });
    const dispose = (): void => {
      cancel?.();
      stopListening();
    };
    return { lost: promise, dispose };
  }
}

/** What may fail while a node goes: a line in the log, and nothing once the node has gone on (D2). */
class Attempts {
  readonly #logger: Logger;
  #isOver = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Resolves when the attempt has ended, either way. */
  async make(failure: string, attempt: Promise<unknown>): Promise<void> {
    try {
      await attempt;
    } catch (error) {
      if (this.#isOver) return;
      const text = `${failure}; other nodes take over when this one is silent`;
      // That others are busy, gone or going too is no fault of anybody.
      if (error instanceof RaftoralError) this.#logger.info({ code: error.code, reason: error.message }, text);
      else this.#logger.warn({ err: error }, text);
    }
  }

  /** What still goes on fails because the node closes. */
  end(): void {
    this.#isOver = true;
  }
}
