/** Routes of the JSON API to locks and limiters. What the fields may be, the API says. */
import { NodeError } from "../../api/errors.ts";
import { leaseArgument, lockLimitsArgument, lockNameArgument, valueArgument } from "../../api/locks/lock-arguments.ts";
import type { GivenLockLimits } from "../../api/locks/locks.ts";
import { callOptions, readOptions } from "./call-options.ts";
import type { JsonCall } from "./json-call.ts";
import { CHANGE_PARAMETERS, type JsonParameter, type JsonRoute, READ_PARAMETERS } from "./json-route.ts";

const LOCK = { lock: "The name of a lock or limiter." };
const COUNT = { type: "integer", minimum: 1 } as const;
const TEXT = { type: "string" } as const;
const REASON: JsonParameter = { name: "reason", what: "Why.", schema: TEXT };
const REQUEST: JsonParameter = {
  name: "requestId",
  what: "Names the ask: the same one again is the same ask, and renews its lease.",
  schema: TEXT,
};
const LIMITS: readonly JsonParameter[] = [
  { name: "permits", what: "How many may hold the lock at once.", schema: COUNT },
  { name: "rate", what: "Of a limiter: `limit` permits in `periodMs`, `burst` at once.", schema: { type: "object" } },
];
const DEFAULT_TIMEOUT_MS = 10_000;
const MAX_WAIT_MS = 20_000;

/** The routes. */
export const LOCK_ROUTES: readonly JsonRoute[] = [
  {
    method: "GET",
    path: "locks",
    summary: "Locks and limiters by name.",
    query: [
      { name: "prefix", what: "Only those whose names begin so.", schema: TEXT },
      { name: "after", what: "Only those whose names come after this one.", schema: TEXT },
      { name: "limit", what: "How many at most.", schema: { ...COUNT, maximum: 1_000, default: 100 } },
      ...READ_PARAMETERS,
    ],
    answer: async (call) => {
      const [prefix, after, limit] = ["prefix", "after", "limit"].map((name) => call.query.get(name) ?? undefined);
      const filter = {
        ...(prefix === undefined ? {} : { prefix }),
        ...(after === undefined ? {} : { after }),
        ...(limit === undefined ? {} : { limit: Number(limit) }),
      };
      return { body: { locks: await call.workflows.locks.list(filter, readOptions(call)) } };
    },
  },
  {
    method: "GET",
    path: "locks/{lock}",
    summary: "A lock: its limits, who holds it and who waits.",
    segments: LOCK,
    query: READ_PARAMETERS,
    answer: async (call) => {
      const name = nameIn(call);
      const found = await call.workflows.locks.get(name, readOptions(call));
      if (found !== undefined) return { body: found };
      const text = `There is no lock ${name}: no one uses or has defined it. GET /v1/locks lists those that there are.`;
      throw new NodeError("REQUEST_INVALID", text, { details: { lock: name } });
    },
  },
  {
    method: "POST",
    path: "locks/{lock}/acquire",
    summary:
      "Asks for a lock, or for a permit of a limiter, and waits `waitMs` for it. Without a `token` in the answer it waits still: ask again with the same `requestId` within the lease. Renew or release what was granted.",
    segments: LOCK,
    query: CHANGE_PARAMETERS,
    body: [
      REQUEST,
      ...LIMITS,
      { name: "leaseMs", what: "How long the ask stays without being asked again or renewed.", schema: COUNT },
      { name: "waitMs", what: "How long the answer may wait for the grant.", schema: { type: "integer", minimum: 0 } },
      { name: "value", what: "What others see of the holder.", schema: TEXT },
    ],
    answer: async (call) => {
      const { requestId, permits, rate, leaseMs, waitMs = 0, value } = call.body;
      const request = {
        name: nameIn(call),
        limits: lockLimitsArgument(rate === undefined ? { permits: permits ?? 1 } : { permits, rate }),
        requestId: text(requestId, "requestId"),
        leaseMs: leaseArgument(leaseMs),
        value: valueArgument(value),
        onlyNow: false,
      };
      const isTime = typeof waitMs === "number" && waitMs >= 0;
      if (!isTime)
        throw new NodeError("REQUEST_INVALID", "The field waitMs is a number of milliseconds from 0. Correct it.");
      const token = await call.node.locks.acquire(request, Math.min(waitMs, MAX_WAIT_MS), limitOf(call));
      return { body: token === undefined ? {} : { token } };
    },
  },
  {
    method: "POST",
    path: "locks/{lock}/renew",
    summary: "A holder says that it lives: its lease begins again.",
    segments: LOCK,
    query: CHANGE_PARAMETERS,
    body: [REQUEST, { name: "token", what: "The token of the grant.", schema: COUNT }],
    answer: async (call) => {
      const { requestId, token } = call.body;
      if (typeof token !== "number")
        throw new NodeError("REQUEST_INVALID", "The request lacks token. Give that of the grant.");
      await call.node.locks.renew(nameIn(call), text(requestId, "requestId"), token, limitOf(call));
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "locks/{lock}/release",
    summary: "Ends an ask, whether it waits or holds.",
    segments: LOCK,
    query: CHANGE_PARAMETERS,
    body: [REQUEST],
    answer: async (call) => {
      await call.node.locks.release(nameIn(call), text(call.body.requestId, "requestId"), limitOf(call));
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "locks/{lock}/force-release",
    summary: "Takes a lock from its holder, who is not asked. It is audited.",
    segments: LOCK,
    query: CHANGE_PARAMETERS,
    body: [{ name: "token", what: "The token of the holder.", schema: COUNT }, REASON],
    answer: async (call) => {
      await call.workflows.locks.forceRelease(nameIn(call), call.body.token as number, reasoned(call));
      return { body: {} };
    },
  },
  {
    method: "POST",
    path: "locks/{lock}",
    summary: "Gives a lock or limiter limits that stand above those that code gives. It is audited.",
    segments: LOCK,
    query: CHANGE_PARAMETERS,
    body: [...LIMITS, REASON],
    answer: async (call) => {
      const { reason: _, ...limits } = call.body;
      await call.workflows.locks.define(nameIn(call), limits as GivenLockLimits, reasoned(call));
      return { body: {} };
    },
  },
  {
    method: "DELETE",
    path: "locks/{lock}",
    summary: "Forgets what was defined of a lock. Its holders keep it.",
    segments: LOCK,
    query: CHANGE_PARAMETERS,
    answer: async (call) => {
      await call.workflows.locks.delete(nameIn(call), callOptions(call));
      return { body: {} };
    },
  },
];

function nameIn({ path: { lock = "" } }: JsonCall): string {
  return lockNameArgument(lock);
}

function limitOf(call: JsonCall): { readonly timeoutMs: number; readonly signal: AbortSignal } {
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = callOptions(call);
  return { timeoutMs, signal: call.signal };
}

function reasoned(call: JsonCall) {
  const { reason } = call.body;
  return { ...callOptions(call), ...(reason === undefined ? {} : { reason: reason as string }) };
}

function text(value: unknown, name: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new NodeError("REQUEST_INVALID", `The request lacks ${name}. Give it as text.`, { details: { field: name } });
}
