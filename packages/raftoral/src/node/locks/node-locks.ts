/** {@link LocksPort} of a node: over its own workflow engine, in this process. */
import {
  isLimiter,
  type LockAskView,
  LockRequests,
  type LockView,
  type LockLimits as StateLimits,
  type WorkflowEngine,
} from "@raftoral/workflow";
import type { CallLimit } from "../../api/call-options.ts";
import type { Leader, LockAsk, LockInfo, LockLimits } from "../../api/locks/locks.ts";
import type { LockAnswer, LockChangeRequest, LockQuery, LockRequest, LocksPort } from "../../api/locks/locks-port.ts";
import type { Environment } from "../../platform.ts";

/** Holders and waiting asks that a read of one lock shows of each, and a list of each lock. */
const SHOWN_ASKS = 100;
const LISTED_ASKS = 3;

/** The lock calls of one node. */
export class NodeLocks implements LocksPort {
  readonly #engine: WorkflowEngine;
  readonly #requests: LockRequests;

  constructor(engine: WorkflowEngine, { clock }: Environment) {
    this.#engine = engine;
    this.#requests = new LockRequests(engine, clock);
  }

  /** How many calls wait. */
  get waits(): number {
    return this.#requests.waits;
  }

  acquire({ limits, ...request }: LockRequest, waitMs: number, limit: CallLimit): Promise<LockAnswer> {
    return this.#requests.acquire({ ...request, limits: stateLimits(limits) }, waitMs, limit);
  }

  renew(name: string, requestId: string, token: number, limit: CallLimit): Promise<void> {
    return this.#requests.renew(name, requestId, token, limit);
  }

  release(name: string, requestId: string, limit: CallLimit): Promise<void> {
    return this.#requests.release(name, requestId, limit);
  }

  async locks({ name, prefix, after, limit: most }: LockQuery, limit: CallLimit): Promise<readonly LockInfo[]> {
    if (limit.isStale !== true) await this.#engine.barrier({ timeoutMs: limit.timeoutMs });
    const query =
      name === undefined ? { prefix, limit: most, asks: LISTED_ASKS } : { name, limit: 1, asks: SHOWN_ASKS };
    return (await this.#engine.locks({ ...query, ...(after === undefined ? {} : { after }) })).map(lockInfo);
  }

  leader(name: string, not: number, waitMs: number, limit: CallLimit): Promise<Leader | undefined> {
    return this.#requests.leader(name, not, waitMs, limit);
  }

  /** Carries out what an operator asks for. */
  async change({ name, change, reason }: LockChangeRequest, by: string, limit: CallLimit): Promise<void> {
    const action = change.kind === "define" ? { ...change, limits: stateLimits(change.limits) } : change;
    await this.#requests.change(name, action, { by, reason }, limit);
  }

  /** Ends every wait with NODE_STOPPED. */
  close(): void {
    this.#requests.close();
  }
}

/** A lock as the API shows it. */
function lockInfo({ limits, holders, waiters, ...lock }: LockView): LockInfo {
  return { ...lock, limits: shownLimits(limits), holders: holders.map(lockAsk), waiters: waiters.map(lockAsk) };
}

/** An ask as the API shows it. */
export function lockAsk({
  token,
  runId,
  path,
  requestId,
  value,
  leaseMs,
  askedAtMs,
  grantedAtMs,
}: LockAskView): LockAsk {
  return {
    token: token === 0 ? undefined : token,
    runId: runId === "" ? undefined : runId,
    path: path === "" ? undefined : path,
    requestId: requestId === "" ? undefined : requestId,
    value,
    leaseMs: leaseMs === 0 ? undefined : leaseMs,
    askedAtMs,
    grantedAtMs: grantedAtMs === 0 ? undefined : grantedAtMs,
  };
}

function stateLimits(limits: LockLimits): StateLimits {
  if ("permits" in limits) return { permits: limits.permits, rateLimit: 0, ratePeriodMs: 0, burst: 0 };
  const { limit: rateLimit, periodMs: ratePeriodMs, burst } = limits.rate;
  return { permits: 0, rateLimit, ratePeriodMs, burst };
}

function shownLimits(limits: StateLimits): LockLimits {
  const { permits, rateLimit: limit, ratePeriodMs: periodMs, burst } = limits;
  return isLimiter(limits) ? { rate: { limit, periodMs, burst } } : { permits };
}
