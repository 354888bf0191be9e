/** Logs refusals once per peer and reason, so that a peer that keeps calling does not fill the log. */
import type { Logger, NodeId } from "@raftoral/raft-core";

/** Different refusals remembered; then the oldest are forgotten, and would be logged again. */
const MAX_REMEMBERED = 1000;

/** A refusal, and whom it was for. */
export interface ReportedRefusal {
  /** Undefined before a hello. */
  readonly peer: NodeId | undefined;
  readonly remote: string | undefined;
  readonly reason: string;
  readonly message: string;
}

/** The log of one node's refusals. `report` logs each once, until the peer is accepted or 1,000 others came. */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #logged = new Map<string, NodeId | undefined>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  report(refusal: ReportedRefusal): void {
    // The text tells apart what callers whose hello was not accepted said.
    const key = `${refusal.peer ?? refusal.remote}/${refusal.reason}/${refusal.message}`;
    if (this.#logged.has(key)) return;
    const oldest = this.#logged.keys().next();
    if (this.#logged.size >= MAX_REMEMBERED && oldest.done !== true) this.#logged.delete(oldest.value);
    this.#logged.set(key, refusal.peer);
    const { peer, remote, reason } = refusal;
    this.#logger.warn({ code: "TRANSPORT_PEER_REFUSED", peer, remote, reason }, `refused a peer: ${refusal.message}`);
  }

  /** The peer was accepted: its next refusal is news again. */
  forget(peer: NodeId): void {
    for (const [key, refused] of this.#logged) if (refused === peer) this.#logged.delete(key);
  }
}
