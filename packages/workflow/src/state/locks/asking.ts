/**
 * Asks, as commands and records of runs make them, and their end.
 *
 * LA1. The limits that an ask names count when no one has defined the lock: the latest ones stand. So a release that names other limits brings them, and an operator's
 *      definition stands above what code names.
 * LA2. An ask that cannot be made changes nothing but, for a run, its history: the run is answered with why.
 */
import {
  AS_KNOWN,
  askIn,
  askPathOf,
  encodeGrant,
  grantPath,
  isAsKnown,
  isLimiter,
  type LockLimits,
  limitsProblem,
  MAX_LOCK_NAME_LENGTH,
  MAX_LOCK_VALUE_LENGTH,
  MUTEX,
} from "../../model/lock.ts";
import { FIRST_GRANT_PART, type RecordKind, recordPosition } from "../../model/record.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { Tables } from "../tables.ts";
import type { LockRecord } from "./lock-records.ts";
import { type GivenAsk, MAX_ASKS_OF_RUN, MAX_LOCKS, MAX_WAITERS } from "./lock-table.ts";

/** Why an ask cannot be made. */
export interface AskRefused {
  readonly code: "LOCK_CONFLICT" | "LOCK_LIMIT_REACHED" | "NAME_INVALID" | "COMMAND_INVALID";
  readonly message: string;
}

/** Who asks. */
export type Asking = Omit<GivenAsk, "ticket" | "askedAtMs">;

/** What is wrong with a name; undefined when nothing is. */
export function lockNameProblem(name: string): AskRefused | undefined {
  if (name.length > 0 && name.length <= MAX_LOCK_NAME_LENGTH) return undefined;
  return {
    code: "NAME_INVALID",
    message: `The name of a lock has 1 to ${MAX_LOCK_NAME_LENGTH} characters; this one has ${name.length}. Choose another name.`,
  };
}

/** An ask that is new waits from now on, or cannot be made. `leaseMs` is 0 for a run's. What may be granted is granted afterwards. */
export function ask(tables: Tables, asking: Asking, limits: LockLimits, leaseMs: number): AskRefused | undefined {
  const { locks, clock: askedAtMs } = tables;
  const lock = lockOf(tables, asking.name, limits);
  if ("code" in lock) return lock;
  if (lock.waiting >= MAX_WAITERS) {
    return {
      code: "LOCK_LIMIT_REACHED",
      message: `${MAX_WAITERS} asks wait for lock ${lock.name}, as many as may. Ask again later.`,
    };
  }
  const value = asking.value.slice(0, MAX_LOCK_VALUE_LENGTH);
  locks.wait(lock, { ...asking, value, ticket: tables.nextEpoch(), askedAtMs }, leaseMs);
  return undefined;
}

/** The lock that is asked for, with the limits that count (LA1). */
function lockOf(tables: Tables, name: string, limits: LockLimits): LockRecord | AskRefused {
  const { locks } = tables;
  const [nameProblem, problem] = [lockNameProblem(name), limitsProblem(limits)];
  if (nameProblem !== undefined) return nameProblem;
  if (problem !== undefined)
    return { code: "COMMAND_INVALID", message: `Lock ${name} cannot be asked for. ${problem}` };
  const known = locks.get(name);
  if (known === undefined) {
    if (locks.count >= MAX_LOCKS) {
      return {
        code: "LOCK_LIMIT_REACHED",
        message: `The cluster has ${MAX_LOCKS} locks in use, as many as it may. Release some, or use fewer names.`,
      };
    }
    return locks.create(name, isAsKnown(limits) ? MUTEX : limits, tables.nextEpoch());
  }
  if (isAsKnown(limits)) return known;
  if (isLimiter(limits) !== isLimiter(known.limits)) {
    const [is, asked] = isLimiter(limits) ? ["a lock", "a limiter"] : ["a limiter", "a lock"];
    return {
      code: "LOCK_CONFLICT",
      message: `The name ${name} is that of ${is}, and was asked for as ${asked}. Locks and limiters share their names: choose another one.`,
    };
  }
  return known.isDefined ? known : locks.limit(known, limits, false, tables.nextEpoch());
}

/** A record of a run that is about an ask was put: carries it out. Others are left alone. */
export function lockRecorded(tables: Tables, run: RunRecord, path: string, kind: RecordKind, value: Uint8Array): void {
  if (kind === "lock") runAsks(tables, run, path, value);
  else if (kind === "lock-granted" || kind === "lock-released") {
    if (kind === "lock-released" || value.length === 0) runLeaves(tables, run, askPathOf(path));
  }
}

function runAsks(tables: Tables, run: RunRecord, path: string, value: Uint8Array): void {
  const { locks, runs } = tables;
  const { startIndex: start, runId } = run;
  if (locks.ofRun(start, path) !== undefined) return;
  const recorded = askIn(value);
  const isFull = run.hasAsked && locks.asksOfRun(start, MAX_ASKS_OF_RUN).length >= MAX_ASKS_OF_RUN;
  const refused = isFull
    ? ({
        code: "LOCK_LIMIT_REACHED",
        message: `Run ${runId} holds or waits for ${MAX_ASKS_OF_RUN} locks, as many as it may. Release some first.`,
      } as const)
    : ask(
        tables,
        { name: recorded?.name ?? "", requestId: "", start, runId, path, value: "" },
        recorded?.limits ?? AS_KNOWN,
        0,
      );
  if (refused === undefined) runs.mark(run, "hasAsked");
  else refuse(tables, run, path, refused);
}

function runLeaves(tables: Tables, run: RunRecord, path: string): void {
  const { locks } = tables;
  const asked = locks.ofRun(run.startIndex, path);
  if (asked !== undefined) locks.leave(asked);
}

/** LA2. */
function refuse(tables: Tables, run: RunRecord, path: string, { code, message }: AskRefused): void {
  const { runs, clock, index } = tables;
  const { owner, epoch } = run.head;
  const [at, position] = [grantPath(path), recordPosition(index, FIRST_GRANT_PART + tables.locks.takePart())];
  const value = encodeGrant({ code, message });
  if (runs.record(run, at, { kind: "lock-granted", value, recordedAtMs: clock, position, epoch }) !== undefined) return;
  const { runId, workflowType } = run;
  const what = { runId, workflowType, path: at, kind: "lock-granted", value, owner, epoch } as const;
  tables.events.push({ type: "record-committed", index, atMs: clock, position, ...what });
}
