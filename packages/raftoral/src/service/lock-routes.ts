/** raftoral.v1.LockService over a node. It translates, and checks as the API does; leases are renewed by the caller. */
import type { ConnectRouter, HandlerContext } from "@connectrpc/connect";
import { leaseArgument, lockLimitsArgument, lockNameArgument, valueArgument } from "../api/locks/lock-arguments.ts";
import { LockService } from "../gen/raftoral/v1/lock_service_pb.ts";
import { consistencyFromWire } from "../wire/filter-messages.ts";
import { limitsFromWire, lockChangeFromWire, lockToWire } from "../wire/lock-messages.ts";
import { safeNumber } from "../wire/numbers.ts";
import { callerName } from "./caller-name.ts";
import { callLimit, callOptions, guarded, pollLimit, required } from "./calls.ts";
import type { ServedNode } from "./served-node.ts";

/** Adds the service to a router. `served` gives the node, and throws while there is none. */
export function registerLockService(router: ConnectRouter, served: () => ServedNode, defaultTimeoutMs: number): void {
  const limitOf = ({ timeoutMs }: { readonly timeoutMs: number }, context: HandlerContext) =>
    callLimit(timeoutMs, context, defaultTimeoutMs);
  router.service(LockService, {
    acquireLock: guarded(async (request, context) => {
      const asked = {
        name: lockNameArgument(request.name),
        limits: lockLimitsArgument(limitsFromWire(request.limits)),
        requestId: required(request.requestId, "request_id"),
        leaseMs: leaseArgument(safeNumber(request.leaseMs, "lease_ms")),
        value: valueArgument(request.value),
        onlyNow: request.onlyNow,
      };
      const { timeoutMs: waitMs } = pollLimit(request.waitMs, context);
      const token = await served().locks.acquire(asked, waitMs, limitOf(request, context));
      return token === undefined ? {} : { token: BigInt(token) };
    }),

    renewLock: guarded(async (request, context) => {
      const requestId = required(request.requestId, "request_id");
      const token = safeNumber(request.token, "token");
      await served().locks.renew(lockNameArgument(request.name), requestId, token, limitOf(request, context));
      return {};
    }),

    releaseLock: guarded(async (request, context) => {
      const requestId = required(request.requestId, "request_id");
      await served().locks.release(lockNameArgument(request.name), requestId, limitOf(request, context));
      return {};
    }),

    listLocks: guarded(async (request, context) => {
      const { name, prefix, after, limit } = request;
      const options = { ...callOptions(limitOf(request, context)), ...consistencyFromWire(request.consistency) };
      const { locks } = served().workflows;
      if (name !== "") {
        const one = await locks.get(name, options);
        return { locks: one === undefined ? [] : [lockToWire(one)] };
      }
      const page = { prefix, ...(after === "" ? {} : { after }), ...(limit === 0 ? {} : { limit }) };
      return { locks: (await locks.list(page, options)).map(lockToWire) };
    }),

    readLeader: guarded(async (request, context) => {
      const known = request.known === undefined ? -1 : safeNumber(request.known, "known");
      const { timeoutMs: waitMs } = pollLimit(request.waitMs, context);
      const name = lockNameArgument(request.name);
      const leader = await served().locks.leader(name, known, waitMs, limitOf(request, context));
      return leader === undefined ? {} : { leader: { token: BigInt(leader.token), value: leader.value } };
    }),

    changeLock: guarded(async (request, context) => {
      const { locks } = served().workflowsOf(callerName(context));
      const { reason } = request;
      const options = { ...callOptions(limitOf(request, context)), ...(reason === "" ? {} : { reason }) };
      const name = required(request.name, "name");
      const change = lockChangeFromWire(request);
      if (change.kind === "release") await locks.forceRelease(name, change.token, options);
      else if (change.kind === "define") await locks.define(name, change.limits, options);
      else await locks.delete(name, options);
      return {};
    }),
  });
}
