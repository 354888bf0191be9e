/** Locks of a node that answers from memory: what was asked of them. Everything is granted that is free. */
import type { CallLimit } from "../api/call-options.ts";
import type { Leader, LockAsk, LockInfo } from "../api/locks/locks.ts";
import type { LockAnswer, LockChange, LockQuery, LockRequest, LocksPort } from "../api/locks/locks-port.ts";

/** A port whose locks a test may look at and set. */
export class FakeLocks implements LocksPort {
  /** By name. */
  readonly all = new Map<string, LockInfo>();
  /** What was done, in order. */
  readonly calls: (readonly [call: string, name: string, what: unknown])[] = [];
  #token = 0;

  async acquire(request: LockRequest, _waitMs: number, _limit: CallLimit): Promise<LockAnswer> {
    this.calls.push(["acquire", request.name, request]);
    const known = this.all.get(request.name) ?? fakeLock(request.name, { limits: request.limits });
    const permits = "permits" in request.limits ? request.limits.permits : 1;
    if (known.held >= permits) return request.onlyNow ? 0 : undefined;
    this.#token += 1;
    const { requestId, value } = request;
    const ask = fakeAsk({ token: this.#token, requestId, value });
    this.all.set(request.name, { ...known, held: known.held + 1, holders: [...known.holders, ask] });
    return this.#token;
  }

  async renew(name: string, requestId: string): Promise<void> {
    this.calls.push(["renew", name, requestId]);
  }

  async release(name: string, requestId: string): Promise<void> {
    this.calls.push(["release", name, requestId]);
    this.#drop(name, (ask) => ask.requestId === requestId);
  }

  async locks({ name, prefix }: LockQuery): Promise<readonly LockInfo[]> {
    return [...this.all.values()].filter((lock) =>
      name === undefined ? lock.name.startsWith(prefix) : lock.name === name,
    );
  }

  async leader(name: string, not: number): Promise<Leader | undefined> {
    const { token = 0, value = "" } = this.all.get(name)?.holders[0] ?? {};
    return token === not ? undefined : { token, value };
  }

  /** What an operator does. */
  change(name: string, change: LockChange): void {
    this.calls.push(["change", name, change]);
    const known = this.all.get(name) ?? fakeLock(name);
    if (change.kind === "define") this.all.set(name, { ...known, limits: change.limits, isDefined: true });
    else if (change.kind === "delete") this.all.delete(name);
    else this.#drop(name, (ask) => ask.token === change.token);
  }

  #drop(name: string, isIt: (ask: LockAsk) => boolean): void {
    const known = this.all.get(name);
    if (known === undefined) return;
    const holders = known.holders.filter((ask) => !isIt(ask));
    this.all.set(name, { ...known, holders, held: holders.length });
  }
}

/** A lock with every field set. */
export function fakeLock(name: string, fields: Partial<LockInfo> = {}): LockInfo {
  const counts = { held: 0, waiting: 0, available: 1, taken: 0 };
  const state = { limits: { permits: 1 }, isDefined: false, oldestAtMs: undefined, holders: [], waiters: [] };
  return { name, ...counts, ...state, ...fields };
}

/** An ask with every field set. */
export function fakeAsk(fields: Partial<LockAsk> = {}): LockAsk {
  const who = {
    token: undefined,
    runId: undefined,
    path: undefined,
    requestId: undefined,
    value: "",
    leaseMs: undefined,
  };
  return { ...who, askedAtMs: 1_000, grantedAtMs: undefined, ...fields };
}
