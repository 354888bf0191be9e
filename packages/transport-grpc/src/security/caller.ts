/**
 * Who is at the other end of a connection to this node's server.
 *
 * Invariants:
 * A1. A caller is decided on once, when its connection stands, and stays what it is for the connection's life.
 * A2. A refused caller gets the reason and nothing else, whatever it calls.
 * A3. Who showed no certificate is no peer of a node that speaks TLS.
 */
import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { createContextKey } from "@connectrpc/connect";
import type { NodeId } from "@raftoral/raft-core";
import { type NodeClaim, namesFor, nodeIdIn, objectionTo } from "./certificate-names.ts";
import type { Security } from "./security.ts";
import { meaningOf } from "./tls-failure.ts";

/** Who is at the other end of a connection to this node. */
export type Caller =
  /** Plaintext that was asked for: anybody may be anyone. */
  | { readonly kind: "unknown" }
  /** Over TLS, without a certificate, where that is allowed: a client. */
  | { readonly kind: "anonymous" }
  /** With a certificate that an authority of this node has signed. */
  | { readonly kind: "certified"; readonly certificate: X509Certificate }
  /** Turned away. `reason` is for the caller. */
  | { readonly kind: "refused"; readonly reason: string };

/** A `ContextKey` of Connect's: spelt out, for Connect's own declarations need those of the DOM. */
export interface CallerKey {
  readonly id: symbol;
  readonly defaultValue: Caller;
}

/** Who makes a call, for services on a node's port: `context.values.get(CALLER)`. */
export const CALLER: CallerKey = createContextKey<Caller>({ kind: "anonymous" }, { description: "who makes the call" });

const UNKNOWN: Caller = Object.freeze({ kind: "unknown" });
const ANONYMOUS: Caller = Object.freeze({ kind: "anonymous" });

/** Decides on the other end of a connection to this node's server (A1). `socket`: over TLS, the connection. */
export function callerOf(socket: TLSSocket | undefined, security: Security): Caller {
  if (!security.isTls || socket === undefined) return UNKNOWN;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) {
    if (!security.requiresClientCertificate) return ANONYMOUS;
    return refused("this node asks every caller for a certificate; give tls.cert and tls.key (--tls-cert, --tls-key)");
  }
  if (socket.authorized) return { kind: "certified", certificate };
  // Typed as an error; Node gives the code of it.
  const code = String(socket.authorizationError);
  return refused(`this node does not accept the caller's certificate (${namesFor(certificate)}): ${meaningOf(code)}`);
}

/** Why the caller may not speak as a node. Undefined if it may. */
export function objectionToCaller(caller: Caller, claim: NodeClaim): string | undefined {
  switch (caller.kind) {
    case "unknown":
      return undefined;
    case "certified":
      return objectionTo(caller.certificate, claim);
    case "anonymous":
      return "it showed no certificate";
    case "refused":
      return caller.reason;
  }
}

/** The node that the caller's certificate names by a URI, if it names one. */
export function namedNode(caller: Caller, clusterNames: readonly string[]): NodeId | undefined {
  return caller.kind === "certified" ? nodeIdIn(caller.certificate, clusterNames) : undefined;
}

export const PLAINTEXT_ON_TLS: Caller = Object.freeze({
  kind: "refused",
  reason:
    "this node speaks TLS, and the caller plaintext; give tls: { ca, cert, key } (--tls-ca, --tls-cert, --tls-key)",
});

function refused(reason: string): Caller {
  return { kind: "refused", reason };
}
