/**
 * Whom a certificate is made out to, and which node its holder may speak as. Pure. docs/adr has the reasons.
 *
 * Invariants:
 * N1. Only names in the subject alternative name count; the common name is for people.
 * N2. A certificate with any `raftoral:` URI is a node only by such a URI; host names then say where it is reached, not who it is.
 * N3. A certificate without one is the node whose address it is made out to.
 */
import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { NodeId } from "@raftoral/raft-core";
import { parseAddress } from "../address.ts";

const SCHEME = "raftoral:";
const NODE_URI = /^raftoral:\/\/([^/]+)\/node\/([1-9]\d{0,15})$/;
/** One name of the text form: a kind, a colon, and the value, in JSON quotes where it has characters that would mislead. */
const NAME = /([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy;

/** Who a peer says it is. */
export interface NodeClaim {
  readonly nodeId: NodeId;
  /** What certificates call the cluster: any of these. */
  readonly clusterNames: readonly string[];
  /** Where this side knows the node; if it does not, where the node says it is. */
  readonly address: string | undefined;
}

/** URIs of the subject alternative name, in its order. */
export function urisOf(certificate: X509Certificate): readonly string[] {
  const uris: string[] = [];
  for (const [, kind, value = ""] of (certificate.subjectAltName ?? "").matchAll(NAME)) {
    if (kind === "URI") uris.push(value.startsWith('"') ? String(JSON.parse(value)) : value);
  }
  return uris;
}

/** The only node id of `clusterNames`, or of any cluster, that the certificate names; undefined if it names none or several. */
export function nodeIdIn(certificate: X509Certificate, clusterNames?: readonly string[]): NodeId | undefined {
  const ids = new Set(nodeIds(certificate, clusterNames));
  return ids.size === 1 ? ids.values().next().value : undefined;
}

/** Whether the certificate is made out to `host`, a name or an IP address. */
export function coversHost(certificate: X509Certificate, host: string): boolean {
  const found = isIP(host) === 0 ? certificate.checkHost(host, { subject: "never" }) : certificate.checkIP(host);
  return found !== undefined;
}

/** Why the holder of the certificate may not speak as this node. Undefined if it may. */
export function objectionTo(certificate: X509Certificate, claim: NodeClaim): string | undefined {
  const { nodeId, clusterNames, address } = claim;
  if (isNamedByUri(certificate)) {
    if (nodeIds(certificate, clusterNames).includes(nodeId)) return undefined;
    return `its certificate (${namesFor(certificate)}) does not have the name raftoral://${clusterNames[0]}/node/${nodeId}`;
  }
  if (address === undefined) {
    return `its certificate (${namesFor(certificate)}) names no node, and where node ${nodeId} is is not known here`;
  }
  if (coversHost(certificate, parseAddress(address).host)) return undefined;
  return (
    `its certificate (${namesFor(certificate)}) is not made out to the host of node ${nodeId} at ${address}, ` +
    `and does not have the name raftoral://${clusterNames[0]}/node/${nodeId}`
  );
}

/** Whether the certificate says by a URI who its holder is (N2). */
export function isNamedByUri(certificate: X509Certificate): boolean {
  return urisOf(certificate).some((uri) => uri.startsWith(SCHEME));
}

/** The names of a certificate, for messages. */
export function namesFor(certificate: X509Certificate): string {
  return certificate.subjectAltName ?? "without names";
}

function nodeIds(certificate: X509Certificate, clusterNames?: readonly string[]): readonly NodeId[] {
  return urisOf(certificate).flatMap((uri) => {
    const [, cluster = "", nodeId] = NODE_URI.exec(uri) ?? [];
    if (nodeId === undefined || clusterNames?.includes(cluster) === false) return [];
    return [Number(nodeId)];
  });
}
