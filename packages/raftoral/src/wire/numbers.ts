/** 64-bit numbers of the wire, which are safe integers everywhere else. */
import { NodeError } from "../api/errors.ts";

/** A 64-bit field as a number. `what` names the field. Throws REQUEST_INVALID beyond 2^53 - 1. */
export function safeNumber(value: bigint, what: string): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new NodeError("REQUEST_INVALID", `${what} is ${value}, which is beyond 2^53 - 1. Send a smaller number.`, {
    details: { field: what },
  });
}
