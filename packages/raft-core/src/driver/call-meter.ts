/**
 * Ties calls, and what else takes time, to a {@link ClusterProbe}: turns when one began into how long it took.
 *
 * Role: the one place of the driver that looks at the clock for the sake of measuring. Who has no probe has no meter, and pays
 * for one comparison a call.
 */
import type { RaftErrorCode } from "../errors.ts";
import type { ClusterProbe } from "./cluster-probe.ts";
import type { Clock } from "./ports.ts";

export class CallMeter {
  readonly #probe: ClusterProbe;
  readonly #clock: Clock;

  constructor(probe: ClusterProbe, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  /** `startedMs` is on the clock's monotonic time, as it is for reads. */
  proposalCommitted(startedMs: number): void {
    this.#probe.proposalCommitted(this.#clock.monotonicMs() - startedMs);
  }

  proposalFailed(code: RaftErrorCode): void {
    this.#probe.proposalFailed(code);
  }

  readConfirmed(startedMs: number): void {
    this.#probe.readConfirmed(this.#clock.monotonicMs() - startedMs);
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
}
