/**
 * `ctx.lock`, `ctx.semaphore` and `ctx.limit`: what the body asks the cluster for, holds while a function runs, and gives back.
 *
 * LO1. The ask is a record of the run, which joins the queue of the lock when it is applied. The grant, with its token, is a record that applying puts into the history: a wait
 *      takes no slot, survives takeovers, and is answered in the order of the log.
 * LO2. The ask has its own deadline, recorded with it. Whichever is first in the log stands: the grant, or that the time is over. What was not granted consumes nothing.
 * LO3. The release is a record that applying carries out. It stands behind all that the function did. No call asks for it, so it may be made in a cancelled branch.
 * LO4. A body that is held or over releases nothing: the lock is the run's, and the next owner goes on with it. What a run holds at its end is released with it.
 * LO5. A run that was retried or forked may come to the middle of a function whose lock it does not hold any more. Then it asks again, and nothing new begins before it has
 *      the lock. Its token is another one.
 * LO6. A body that asks for a lock where it holds that lock is refused at once: it would wait for itself.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { LockTimeoutError, lockNested } from "../../author/errors/lock-errors.ts";
import type { BodyLock } from "../../author/lock.ts";
import { decodeValue, encodeValue } from "../../author/values/json-value.ts";
import { WorkflowError, type WorkflowErrorCode } from "../../errors.ts";
import { grantPath, type LockLimits, type RecordedAsk, type RecordedGrant, releasePath } from "../../model/lock.ts";
import type { HistoryRecord } from "../../model/record.ts";
import { Branch } from "../body/branch.ts";
import type { ExternalRecords } from "../history/external-records.ts";
import { inBranch } from "./branches.ts";
import type { CallSite } from "./call-site.ts";
import type { ChildSetting } from "./child.ts";
import { externalRecord } from "./external-record.ts";

/** What the locks of one body share. */
type LockSetting = Pick<ChildSetting, "externals" | "isRetried" | "heldLocks">;

/** What the body asks for. */
export interface LockCall {
  readonly path: string;
  readonly name: string;
  readonly limits: LockLimits;
  readonly timeoutMs: number | undefined;
}

const NOTHING: Uint8Array = new Uint8Array(0);
/** When an ask that cannot be made again is tried once more, in ms (LO5). */
const RETRY_MS = 1_000;

/** Locks that the body holds around the code that runs (LO6). */
const around = new AsyncLocalStorage<readonly HeldLock[]>();

/** A lock in the hands of a body. */
class HeldLock implements BodyLock {
  readonly name: string;
  token: number;
  /** The path of the ask that holds it. */
  path: string;
  isHeld = true;

  constructor(name: string, path: string, token: number) {
    this.name = name;
    this.path = path;
    this.token = token;
  }
}

/** Throws LOCK_NESTED when the caller holds the lock (LO6). */
export function checkNested(name: string): void {
  if (around.getStore()?.some((lock) => lock.isHeld && lock.name === name) === true) throw lockNested(name);
}

/** Runs `fn` while the run holds the lock. Rejects with LockTimeoutError, or with what `fn` rejects with. */
export async function withLock<T>(
  site: CallSite,
  setting: LockSetting,
  { call, signal }: { readonly call: LockCall; readonly signal: AbortSignal | undefined },
  fn: (site: CallSite, lock: BodyLock) => T | Promise<T>,
): Promise<T> {
  const lock = new HeldLock(call.name, call.path, 0);
  try {
    await inBranch(site, new Branch(site.branch), { signal }, (own) =>
      own.call(() => acquired(own, setting, call, lock)),
    );
    const held = [...(around.getStore() ?? []), lock];
    return await inBranch(site, new Branch(site.branch), {}, (own) => around.run(held, () => fn(own, lock)));
  } finally {
    if (lock.isHeld) release(site, setting, lock);
    lock.isHeld = false;
  }
}

/** A permit of a limiter. To be used within {@link CallSite.call}. Rejects with LockTimeoutError. */
export async function permit(site: CallSite, setting: LockSetting, call: LockCall): Promise<void> {
  const stop = site.branch.onCancelled(() => release(site, setting, call));
  try {
    tokenIn(await answered(site, setting, call), call);
  } finally {
    stop();
  }
}

async function acquired(site: CallSite, setting: LockSetting, call: LockCall, lock: HeldLock): Promise<void> {
  const answer = await answered(site, setting, call);
  if (answer.value.length === 0 || tokenOf(answer) === undefined) lock.isHeld = false;
  lock.token = tokenIn(answer, call);
  if (!setting.isRetried) return;
  // Asks that were made again by earlier owners.
  let again = 1;
  for (; site.history.has(againPath(call, again)); again++) {
    lock.path = againPath(call, again);
    site.history.find(lock.path, "lock");
    lock.token = tokenOf(setting.externals.recorded(grantPath(lock.path))) ?? lock.token;
  }
  if (setting.externals.recorded(releasePath(lock.path)) !== undefined) return;
  site.body.parts.replay.before(() => regained(site, setting, { call, lock, again }));
}

/** How the ask was answered (LO1, LO2). */
async function answered(site: CallSite, { externals }: LockSetting, call: LockCall): Promise<HistoryRecord> {
  const { path, timeoutMs } = call;
  const make = (): Uint8Array => {
    const deadline = timeoutMs === undefined ? {} : { deadlineMs: site.history.time.nowMs() + timeoutMs };
    return encodeAsk(call, deadline);
  };
  const record = (): HistoryRecord | Promise<HistoryRecord> => site.record(path, "lock", make());
  const { deadlineMs } = await site.once({
    path,
    kind: "lock",
    record: () => site.whenRecordable(() => site.work(record)),
    answer: ({ value }) => decodeValue(value, path) as RecordedAsk,
  });
  const deadline = deadlineMs === undefined ? undefined : ({ atMs: deadlineMs, kind: "lock-granted" } as const);
  return externalRecord(site, externals, { path: grantPath(path), kind: "lock-granted", deadline });
}

function tokenIn({ value }: HistoryRecord, { path, name }: LockCall): number {
  if (value.length === 0) throw new LockTimeoutError(name);
  const grant = decodeValue(value, path) as RecordedGrant;
  if ("token" in grant) return grant.token;
  throw new WorkflowError(grant.code as WorkflowErrorCode, grant.message, { details: { lock: name } });
}

/** LO3, LO4. */
function release(site: CallSite, { externals }: LockSetting, { path }: Pick<LockCall, "path">): void {
  const { interruption, isAgain, clock } = site.body.parts;
  const at = releasePath(path);
  if (interruption.isClosed || isAgain || externals.recorded(at) !== undefined) return;
  const { history } = site;
  if (site.body.open > 0) {
    void history.record(at, "lock-released", NOTHING).catch(ignore);
    return;
  }
  history.stage(at, "lock-released", NOTHING, true);
  clock.soon(() => history.flush());
}

/** LO5. Resolves when the run holds the lock. */
async function regained(
  site: CallSite,
  { externals, heldLocks }: LockSetting,
  { call, lock, again: first }: { readonly call: LockCall; readonly lock: HeldLock; readonly again: number },
): Promise<void> {
  for (let again = first; lock.isHeld; again++) {
    const own = (await heldLocks()).find(({ path }) => path === lock.path);
    if (own !== undefined && own.token > 0) {
      lock.token = own.token;
      return;
    }
    if (own === undefined) {
      lock.path = againPath(call, again);
      await site.history.record(lock.path, "lock", encodeAsk(call, {}));
    }
    const token = tokenOf(await arrival(externals, grantPath(lock.path)));
    if (token !== undefined) {
      lock.token = token;
      return;
    }
    await new Promise<void>((resolve) => site.clock.after(RETRY_MS, resolve));
  }
}

async function arrival(externals: ExternalRecords, path: string): Promise<HistoryRecord> {
  const known = externals.recorded(path);
  if (known !== undefined) return known;
  if (externals.arrival(path) === undefined) await new Promise<void>((resolve) => externals.listen(path, resolve));
  return externals.read(path);
}

function againPath({ path }: LockCall, again: number): string {
  return `${path}/again${again}`;
}

function encodeAsk({ path, name, limits }: LockCall, more: { readonly deadlineMs?: number }): Uint8Array {
  const ask: RecordedAsk = { name, limits, ...more };
  return encodeValue(ask, `lock ${path}`, Number.POSITIVE_INFINITY);
}

function tokenOf(record: HistoryRecord | undefined): number | undefined {
  if (record === undefined || record.value.length === 0) return undefined;
  const grant = decodeValue(record.value, "the grant of a lock") as Partial<{ readonly token: number }>;
  return grant.token;
}

function ignore(): void {}
