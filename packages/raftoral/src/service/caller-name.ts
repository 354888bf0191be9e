/** Who makes a call, as the audit names it. */
import type { HandlerContext } from "@connectrpc/connect";
import { CALLER, type Caller } from "@raftoral/transport-grpc";

/** A caller without a certificate. */
const UNNAMED = "unnamed";
const COMMON_NAME = /^CN=(.+)$/m;
const FIRST_NAME = /(?:URI|DNS|email|IP Address):([^,]+)/;

/** The common name of the caller's certificate, or the first of its other names; `unnamed` for a caller that showed none. */
export function callerName(context: Pick<HandlerContext, "values">): string {
  return nameOf(context.values.get(CALLER));
}

/** As {@link callerName}, of a caller. */
export function nameOf(caller: Caller): string {
  if (caller.kind !== "certified") return UNNAMED;
  const { subject, subjectAltName = "" } = caller.certificate;
  return COMMON_NAME.exec(subject ?? "")?.[1] ?? FIRST_NAME.exec(subjectAltName)?.[1] ?? UNNAMED;
}
