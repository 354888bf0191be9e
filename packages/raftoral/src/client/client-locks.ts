/** {@link LocksPort} of a client: over gRPC, through any node. An ask carries its id, so that it can be sent again, to another node. */
import type { CallLimit } from "../api/call-options.ts";
import type { Leader, LockInfo } from "../api/locks/locks.ts";
import type { LockAnswer, LockQuery, LockRequest, LocksPort } from "../api/locks/locks-port.ts";
import { consistencyToWire } from "../wire/filter-messages.ts";
import { limitsToWire, lockFromWire } from "../wire/lock-messages.ts";
import { safeNumber } from "../wire/numbers.ts";
import type { ClientCalls } from "./client-calls.ts";
import type { RunPolls } from "./run-polls.ts";

/** The lock calls of one client. */
export class ClientLocks implements LocksPort {
  readonly #calls: ClientCalls;
  readonly #polls: RunPolls;

  constructor(calls: ClientCalls, polls: RunPolls) {
    this.#calls = calls;
    this.#polls = polls;
  }

  async acquire(request: LockRequest, waitMs: number, limit: CallLimit): Promise<LockAnswer> {
    const { name, limits, requestId, leaseMs, value, onlyNow } = request;
    const asked = { name, limits: limitsToWire(limits), requestId, leaseMs: BigInt(leaseMs), value, onlyNow };
    const what = `Acquiring lock ${name}`;
    if (onlyNow) {
      const { token = 0n } = await this.#calls.call(what, limit, (node, options) =>
        node.locks.acquireLock({ ...asked, timeoutMs: options.timeoutMs }, options),
      );
      return safeNumber(token, "token");
    }
    const polled = { timeoutMs: waitMs, signal: limit.signal };
    return await this.#polls.until(what, polled, async (node, options, pollMs) => {
      const { token } = await node.locks.acquireLock({ ...asked, waitMs: pollMs }, options);
      return token === undefined ? undefined : safeNumber(token, "token");
    });
  }

  async renew(name: string, requestId: string, token: number, limit: CallLimit): Promise<void> {
    const message = { name, requestId, token: BigInt(token) };
    await this.#calls.call(`Renewing lock ${name}`, limit, (node, options) =>
      node.locks.renewLock({ ...message, timeoutMs: options.timeoutMs }, options),
    );
  }

  async release(name: string, requestId: string, limit: CallLimit): Promise<void> {
    await this.#calls.call(`Releasing lock ${name}`, limit, (node, options) =>
      node.locks.releaseLock({ name, requestId, timeoutMs: options.timeoutMs }, options),
    );
  }

  async locks(
    { name = "", prefix, after = "", limit: most }: LockQuery,
    limit: CallLimit,
  ): Promise<readonly LockInfo[]> {
    const message = { name, prefix, after, limit: most, consistency: consistencyToWire(limit) };
    const { locks } = await this.#calls.call("Reading locks", limit, (node, options) =>
      node.locks.listLocks({ ...message, timeoutMs: options.timeoutMs }, options),
    );
    return locks.map(lockFromWire);
  }

  leader(name: string, not: number, waitMs: number, { signal }: CallLimit): Promise<Leader | undefined> {
    const asked = { name, ...(not < 0 ? {} : { known: BigInt(not) }) };
    const what = `Observing the leader of ${name}`;
    return this.#polls.until(what, { timeoutMs: waitMs, signal }, async (node, options, pollMs) => {
      const { leader } = await node.locks.readLeader({ ...asked, waitMs: pollMs }, options);
      return leader === undefined ? undefined : { token: safeNumber(leader.token, "token"), value: leader.value };
    });
  }
}
