/**
 * Client sessions: they make sure that a retried proposal is applied once (thesis §6.3).
 *
 * Role: replicated state, changed only by applied entries, part of every snapshot. Each running driver has one session, whose
 * id is the index of the entry that registered it. The driver numbers its proposals with rising serials. Every proposal also carries
 * the driver's floor: the driver never sends serials below it again.
 *
 * Invariants:
 * SE1. A (session, serial) is admitted at most once, for as long as the session is known.
 * SE2. A session that is not known admits nothing. Forgetting a session can lose a retry, but never repeat one.
 * SE3. The table is a function of the applied log. No local configuration influences it.
 */
import type { LogIndex } from "../../types.ts";

/** Sessions remembered at once; the least recently used is forgotten first. Fixed, because every node must forget the same sessions (SE3). */
export const MAX_SESSIONS = 4096;

/** Index of the entry that opened the session. */
export type SessionId = LogIndex;

/** Whether a proposal is applied, was applied before, or belongs to a session that is not known. */
export type Admission = "admitted" | "duplicate" | "expired";

interface Session {
  /** Serials below are settled. */
  floor: number;
  /** Admitted serials at or above the floor. */
  readonly admitted: Set<number>;
  lastUsed: LogIndex;
}

/** One session as JSON: [id, floor, last used index, admitted serials]. */
export type SessionRecord = readonly [id: SessionId, floor: number, lastUsed: LogIndex, admitted: readonly number[]];

/** The table of sessions of one group. */
export class Sessions {
  #sessions = new Map<SessionId, Session>();

  /** Number of sessions. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Opens the session of the entry at `index`. Forgets the least recently used session when there are MAX_SESSIONS already. */
  register(index: LogIndex): void {
    if (this.#sessions.size >= MAX_SESSIONS) this.#forgetLeastRecentlyUsed();
    this.#sessions.set(index, { floor: 1, admitted: new Set(), lastUsed: index });
  }

  /** Decides whether the proposal in the entry at `index` is to be applied, and remembers it (SE1). Raises the session's floor to `floor`. */
  admit(id: SessionId, serial: number, floor: number, index: LogIndex): Admission {
    const session = this.#sessions.get(id);
    if (session === undefined) return "expired";
    session.lastUsed = index;
    const isNew = serial >= session.floor && !session.admitted.has(serial);
    if (isNew) session.admitted.add(serial);
    if (floor > session.floor) raiseFloor(session, floor);
    return isNew ? "admitted" : "duplicate";
  }

  /** Whether a proposal was admitted already; "expired" if its session is not known. */
  lookup(id: SessionId, serial: number): "admitted" | "unseen" | "expired" {
    const session = this.#sessions.get(id);
    if (session === undefined) return "expired";
    return serial < session.floor || session.admitted.has(serial) ? "admitted" : "unseen";
  }

  /** The table for a snapshot's header. */
  toRecords(): SessionRecord[] {
    return Array.from(this.#sessions, ([id, session]) => [id, session.floor, session.lastUsed, [...session.admitted]]);
  }

  /** Replaces the table by that of a snapshot's header. */
  restore(records: readonly SessionRecord[]): void {
    this.#sessions = new Map(
      records.map(([id, floor, lastUsed, admitted]) => [id, { floor, admitted: new Set(admitted), lastUsed }]),
    );
  }

  #forgetLeastRecentlyUsed(): void {
    let oldest: SessionId | undefined;
    let oldestUse = Number.POSITIVE_INFINITY;
    for (const [id, session] of this.#sessions) {
      if (session.lastUsed < oldestUse) {
        oldest = id;
        oldestUse = session.lastUsed;
      }
    }
    if (oldest !== undefined) this.#sessions.delete(oldest);
  }
}

/** Raises the floor. The steps are bounded by the number of admitted serials, however high a floor an entry claims. */
function raiseFloor(session: Session, floor: number): void {
  const { admitted } = session;
  if (floor - session.floor <= admitted.size) {
    for (let serial = session.floor; serial < floor; serial++) admitted.delete(serial);
  } else {
    for (const serial of admitted) if (serial < floor) admitted.delete(serial);
  }
  session.floor = floor;
}
