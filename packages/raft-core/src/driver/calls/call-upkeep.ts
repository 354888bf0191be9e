/** What a tick means to the calls that wait: what may be lost is sent again, and what is past its deadline fails. */

import type { Clock } from "../../ports/clock.ts";
import { NONE } from "../../types.ts";
import type { Leadership } from "../membership/leadership.ts";
import type { Conditions } from "./conditions.ts";
import type { Proposals } from "./proposals.ts";
import type { Reads } from "./reads.ts";

export interface WaitingCalls {
  readonly proposals: Pick<Proposals<never>, "size" | "resendOlderThan" | "expire">;
  readonly reads: Reads;
  readonly conditions: Conditions;
  readonly leadership: Leadership;
  readonly options: { readonly clock: Clock };
}

/** Once a tick; `retryTicks` after it was sent something may be lost. Whether somebody waits. */
export function lookAfterCalls(calls: WaitingCalls, tick: number, retryTicks: number): boolean {
  const { proposals, reads, conditions, leadership } = calls;
  if (proposals.size + reads.size === 0) return conditions.hasWaiters;
  const now = calls.options.clock.monotonicMs();
  const hasLeader = leadership.leader !== NONE;
  proposals.resendOlderThan(retryTicks, tick, !leadership.isLocal);
  proposals.expire(now, hasLeader);
  reads.retryOlderThan(retryTicks, tick);
  reads.expire(now, hasLeader);
  return true;
}
