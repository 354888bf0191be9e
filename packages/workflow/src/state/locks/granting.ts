/**
 * Who is granted a lock: decided when commands are applied, from the state alone.
 *
 * LG1. No ask is granted while its lock has as many holders as permits. Lower permits take nothing from those that hold the lock.
 * LG2. Of the asks that wait, the first one that came is granted first.
 * LG3. No ask waits that may be granted, but for what bounded pieces have left: then its lock is due, and the leader goes on.
 * LG4. Tokens of a lock ascend from grant to grant, for ever (lock-table.ts LT2).
 * LG5. A limiter grants as many asks as its bucket holds: `burst` less those that were taken and have not come back. What has come back, the leader measures on its monotonic
 *      clock (runtime/locks/lock-duties.ts). So in any time t by a clock that runs evenly at most `burst` + t * `rateLimit` / `ratePeriodMs` are granted.
 * LG6. The grant of a run's ask is in its history with the same command.
 */
import { encodeGrant, grantPath, isLimiter } from "../../model/lock.ts";
import { FIRST_GRANT_PART, MAX_GRANTS_PER_ENTRY, recordPosition } from "../../model/record.ts";
import type { Tables } from "../tables.ts";
import type { LockAsk, LockRecord } from "./lock-records.ts";

/** Asks that LocksDue grants. */
export const GRANTED_AT_ONCE = 64;

/** Whether the lock may grant one more ask (LG1, LG5). */
export function hasRoom({ limits, held, taken, refilled }: LockRecord): boolean {
  return isLimiter(limits) ? taken - refilled < limits.burst : held < limits.permits;
}

/** Grants what one command grants beside its own work: its records are behind all others of the entry. */
export function grantBeside(tables: Tables): void {
  grantPiece(tables, MAX_GRANTS_PER_ENTRY - tables.locks.parts, FIRST_GRANT_PART);
}

/**
 * Grants asks of the locks that are due, `limit` at most. `firstPart`: the first place of their records among those of the entry. Looks at as many locks at most.
 */
export function grantPiece(tables: Tables, limit: number, firstPart: number): void {
  const { locks } = tables;
  let granted = 0;
  for (const name of locks.due(limit)) {
    let lock = locks.get(name);
    if (lock === undefined) {
      locks.forget(name);
      continue;
    }
    let isLeft = true;
    while (isLeft && granted < limit) {
      const ask: LockAsk | undefined = lock.waiting > 0 && hasRoom(lock) ? locks.firstWaiter(name) : undefined;
      isLeft = ask !== undefined;
      if (ask === undefined) break;
      const token = tables.nextEpoch();
      lock = locks.grant(lock, ask, token, tables.clock);
      if (ask.start !== 0) recordGrant(tables, ask, token, firstPart + locks.takePart());
      granted += 1;
    }
    if (!isLeft) locks.rest(lock);
  }
}

/** LG6. */
function recordGrant(tables: Tables, { start, path }: LockAsk, token: number, part: number): void {
  const { runs, clock, index } = tables;
  const run = runs.at(start);
  const { owner, epoch } = run.head;
  const [at, position] = [grantPath(path), recordPosition(index, part)];
  const value = encodeGrant({ token });
  if (runs.record(run, at, { kind: "lock-granted", value, recordedAtMs: clock, position, epoch }) !== undefined) return;
  const { runId, workflowType } = run;
  const what = { runId, workflowType, path: at, kind: "lock-granted", value, owner, epoch } as const;
  tables.events.push({ type: "record-committed", index, atMs: clock, position, ...what });
}
