/** Locks between generated messages and the types of the API, both ways. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { NodeError } from "../api/errors.ts";
import type { LockAsk, LockInfo, LockLimits, LockOfRun } from "../api/locks/locks.ts";
import type { LockChange } from "../api/locks/locks-port.ts";
import type {
  LockAskSchema,
  LockOfRunSchema,
  LockAsk as WireAsk,
  LockOfRun as WireOfRun,
} from "../gen/raftoral/v1/lock_pb.ts";
import type {
  ChangeLockRequest,
  ChangeLockRequestSchema,
  Lock,
  LockLimitsSchema,
  LockSchema,
  LockLimits as WireLimits,
} from "../gen/raftoral/v1/lock_service_pb.ts";
import { safeNumber } from "./numbers.ts";

/** Limits as a message. */
export function limitsToWire(limits: LockLimits): MessageInitShape<typeof LockLimitsSchema> {
  if ("permits" in limits) return { permits: limits.permits };
  const { limit: rateLimit, periodMs, burst } = limits.rate;
  return { rateLimit, ratePeriodMs: BigInt(periodMs), burst };
}

/** The limits of a message; one permit where it has none. Throws as {@link safeNumber} does. */
export function limitsFromWire(limits: WireLimits | undefined): LockLimits {
  const { permits = 0, rateLimit = 0, ratePeriodMs = 0n, burst = 0 } = limits ?? {};
  if (rateLimit === 0 && ratePeriodMs === 0n) return { permits: permits === 0 ? 1 : permits };
  const periodMs = safeNumber(ratePeriodMs, "rate_period_ms");
  return { rate: { limit: rateLimit, periodMs, burst: burst === 0 ? rateLimit : burst } };
}

/** A lock as a message. */
export function lockToWire(lock: LockInfo): MessageInitShape<typeof LockSchema> {
  const { name, limits, isDefined: defined, held, waiting, available, taken, oldestAtMs, holders, waiters } = lock;
  return {
    name,
    limits: limitsToWire(limits),
    defined,
    held: BigInt(held),
    waiting: BigInt(waiting),
    available: BigInt(available),
    taken: BigInt(taken),
    ...(oldestAtMs === undefined ? {} : { oldestAtMs: BigInt(oldestAtMs) }),
    holders: holders.map(askToWire),
    waiters: waiters.map(askToWire),
  };
}

/** The lock of a message. Throws as {@link safeNumber} does. */
export function lockFromWire(lock: Lock): LockInfo {
  const { name, limits, defined: isDefined, oldestAtMs, holders, waiters } = lock;
  return {
    name,
    limits: limitsFromWire(limits),
    isDefined,
    held: safeNumber(lock.held, "held"),
    waiting: safeNumber(lock.waiting, "waiting"),
    available: safeNumber(lock.available, "available"),
    taken: safeNumber(lock.taken, "taken"),
    oldestAtMs: oldestAtMs === undefined ? undefined : safeNumber(oldestAtMs, "oldest_at_ms"),
    holders: holders.map(askFromWire),
    waiters: waiters.map(askFromWire),
  };
}

/** A lock of a run as a message. */
export function lockOfRunToWire({
  name,
  path,
  token = 0,
  heldBy,
}: LockOfRun): MessageInitShape<typeof LockOfRunSchema> {
  return { name, path, token: BigInt(token), heldBy: heldBy.map(askToWire) };
}

/** The lock of a run's message. */
export function lockOfRunFromWire({ name, path, token, heldBy }: WireOfRun): LockOfRun {
  const held = token === 0n ? undefined : safeNumber(token, "token");
  return { name, path, token: held, heldBy: heldBy.map(askFromWire) };
}

/** What an operator does as a field of a request. */
export function lockChangeToWire(
  change: LockChange,
): NonNullable<MessageInitShape<typeof ChangeLockRequestSchema>["action"]> {
  switch (change.kind) {
    case "release":
      return { case: "release", value: BigInt(change.token) };
    case "define":
      return { case: "define", value: limitsToWire(change.limits) };
    case "delete":
      return { case: "forget", value: {} };
  }
}

/** What a request says that is to be done. Throws REQUEST_INVALID for nothing, or for what a later version does. */
export function lockChangeFromWire({ action }: ChangeLockRequest): LockChange {
  switch (action.case) {
    case "release":
      return { kind: "release", token: safeNumber(action.value, "release") };
    case "define":
      return { kind: "define", limits: limitsFromWire(action.value) };
    case "forget":
      return { kind: "delete" };
    default:
      throw new NodeError(
        "REQUEST_INVALID",
        "The request names nothing that this node could do to the lock. Set the field action; a newer client may need a newer node.",
      );
  }
}

function askToWire(ask: LockAsk): MessageInitShape<typeof LockAskSchema> {
  const { token = 0, runId = "", path = "", requestId = "", value, leaseMs = 0, askedAtMs, grantedAtMs = 0 } = ask;
  const times = { leaseMs: BigInt(leaseMs), askedAtMs: BigInt(askedAtMs), grantedAtMs: BigInt(grantedAtMs) };
  return { token: BigInt(token), runId, path, requestId, value, ...times };
}

function askFromWire({ token, runId, path, requestId, value, leaseMs, askedAtMs, grantedAtMs }: WireAsk): LockAsk {
  return {
    token: token === 0n ? undefined : safeNumber(token, "token"),
    runId: runId === "" ? undefined : runId,
    path: path === "" ? undefined : path,
    requestId: requestId === "" ? undefined : requestId,
    value,
    leaseMs: leaseMs === 0n ? undefined : safeNumber(leaseMs, "lease_ms"),
    askedAtMs: safeNumber(askedAtMs, "asked_at_ms"),
    grantedAtMs: grantedAtMs === 0n ? undefined : safeNumber(grantedAtMs, "granted_at_ms"),
  };
}
