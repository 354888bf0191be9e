/**
 * Ties calls, and what else takes time, to a {@link ClusterProbe}: turns when one began into how long it took.
 *
 * Role: the one place of the driver that looks at the clock for the sake of measuring. Who has no probe has no meter, and pays
 * for one comparison a call.
 */
import type { RaftErrorCode } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ClusterProbe } from "../../ports/cluster-probe.ts";

export class CallMeter {
  readonly #probe: ClusterProbe;
  readonly #clock: Clock;
  /** Now, for what ends together: a look at the clock for each of hundreds of calls would be the better part of the cost. */
  #nowMs: number | undefined;

  constructor(probe: ClusterProbe, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  /** `startedMs` is on the clock's monotonic time, as it is for reads. */
  proposalCommitted(startedMs: number): void {
    this.#probe.proposalCommitted(this.#endMs() - startedMs);
  }

  proposalFailed(code: RaftErrorCode): void {
    this.#probe.proposalFailed(code);
  }

  readConfirmed(startedMs: number): void {
    this.#probe.readConfirmed(this.#endMs() - startedMs);
  }

  readFailed(code: RaftErrorCode): void {
    this.#probe.readFailed(code);
  }

  snapshotTaken(startedMs: number): void {
    this.#probe.snapshotTaken(this.#clock.monotonicMs() - startedMs);
  }

  /** For what does not know when it began. */
  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  #endMs(): number {
    if (this.#nowMs !== undefined) return this.#nowMs;
    const nowMs = this.#clock.monotonicMs();
    this.#nowMs = nowMs;
    queueMicrotask(() => {
      this.#nowMs = undefined;
    });
    return nowMs;
  }
}
