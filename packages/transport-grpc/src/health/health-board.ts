/**
 * What a server says of the health of its services (`grpc.health.v1`), and who wants to hear of changes.
 *
 * Invariants:
 * B1. Once drained, nothing serves any more, whatever is set.
 * B2. Listeners hear of changes only.
 */

/** The server as a whole, as the protocol names it. */
export const OVERALL = "";

/** The status of a service, as `grpc.health.v1` names it. */
export type ServingStatus = "SERVING" | "NOT_SERVING";

/** The health of one server's services (B1, B2). */
export class HealthBoard {
  readonly #statuses = new Map<string, ServingStatus>();
  readonly #listeners = new Set<() => void>();
  #isDrained = false;

  /** Undefined for a service that is not known. */
  get(service: string): ServingStatus | undefined {
    const status = this.#statuses.get(service);
    return status !== undefined && this.#isDrained ? "NOT_SERVING" : status;
  }

  /** Services in the order they were added. */
  services(): readonly string[] {
    return [...this.#statuses.keys()];
  }

  /** Adds a service, or changes it. {@link OVERALL} is the server as a whole. */
  set(service: string, status: ServingStatus): void {
    if (this.#statuses.get(service) === status) return;
    this.#statuses.set(service, status);
    if (!this.#isDrained) this.#tell();
  }

  get isDrained(): boolean {
    return this.#isDrained;
  }

  /** The server stops: no service serves from now on (B1). Idempotent. */
  drain(): void {
    if (this.#isDrained) return;
    this.#isDrained = true;
    this.#tell();
  }

  /** Calls `listener` after each change. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
