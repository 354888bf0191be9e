/**
 * Measures how long calls and snapshots take, and tells a {@link ClusterProbe}.
 *
 * Role: the only place of the driver that reads the clock for measurements. A group without a probe has no meter and pays
 * one comparison per call.
 */
import type { RaftErrorCode } from "../../errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ClusterProbe } from "../../ports/cluster-probe.ts";

/** Turns start times into durations for one probe. Times are in milliseconds of the clock's monotonic time. */
export class CallMeter {
  readonly #probe: ClusterProbe;
  readonly #clock: Clock;
  /** The time for all calls that end in this microtask: hundreds may end together, and reading the clock for each would cost most of the time. */
  #nowMs: number | undefined;

  constructor(probe: ClusterProbe, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  /** A proposal made at `startedMs` was applied. */
  proposalCommitted(startedMs: number): void {
    this.#probe.proposalCommitted(this.#endMs() - startedMs);
  }

  /** A proposal was rejected with an error of this code. */
  proposalFailed(code: RaftErrorCode): void {
    this.#probe.proposalFailed(code);
  }

  /** A read asked for at `startedMs` was confirmed and applied. */
  readConfirmed(startedMs: number): void {
    this.#probe.readConfirmed(this.#endMs() - startedMs);
  }

  /** A read was rejected with an error of this code. */
  readFailed(code: RaftErrorCode): void {
    this.#probe.readFailed(code);
  }

  /** A snapshot that began at `startedMs` was taken. */
  snapshotTaken(startedMs: number): void {
    this.#probe.snapshotTaken(this.#clock.monotonicMs() - startedMs);
  }

  /** The monotonic time, for a caller that has no clock to note its start. */
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
