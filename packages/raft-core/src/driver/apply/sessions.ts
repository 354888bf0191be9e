/**
 * Client sessions: what makes a retried proposal apply once (thesis §6.3).
 *
 * Role: replicated state, changed only by applied entries, part of every snapshot. Each running driver has one session, whose
 * id is the index of the entry that registered it, and numbers its proposals with rising serials. It also tells, with every
 * proposal, its floor: every serial below it will never be sent again.
 *
 * Invariants:
 * SE1. A (session, serial) is admitted at most once, for as long as the session is known.
 * SE2. A session that is not known admits nothing: forgetting one can lose a retry, never repeat one.
 * SE3. The table is a function of the log prefix: no local configuration enters it.
 */
import type { LogIndex } from "../../types.ts";

/** Sessions remembered at once; the least recently used goes first. Fixed, for it is part of the replicated state (SE3). */
export const MAX_SESSIONS = 4096;

export type SessionId = LogIndex;

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

export class Sessions {
  #sessions = new Map<SessionId, Session>();

  get size(): number {
    return this.#sessions.size;
  }

  /** Opens the session of the entry at `index`, forgetting the least recently used one if there are too many. */
  register(index: LogIndex): void {
    if (this.#sessions.size >= MAX_SESSIONS) this.#forgetLeastRecentlyUsed();
    this.#sessions.set(index, { floor: 1, admitted: new Set(), lastUsed: index });
  }

  /** Decides whether the proposal in the entry at `index` is to be applied, and remembers it (SE1). */
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

  toRecords(): SessionRecord[] {
    return Array.from(this.#sessions, ([id, session]) => [id, session.floor, session.lastUsed, [...session.admitted]]);
  }

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

/** In no more steps than there are serials to forget, whatever floor an entry claims. */
function raiseFloor(session: Session, floor: number): void {
  const { admitted } = session;
  if (floor - session.floor <= admitted.size) {
    for (let serial = session.floor; serial < floor; serial++) admitted.delete(serial);
  } else {
    for (const serial of admitted) if (serial < floor) admitted.delete(serial);
  }
  session.floor = floor;
}
