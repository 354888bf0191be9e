/** The id of the cluster that a restored or recovered node is the first of. */
import { randomBytes } from "node:crypto";
import { clusterNameOf } from "../../../api/cluster/cluster-id.ts";
import { NodeError } from "../../../api/errors.ts";

/** A cluster's name, a dash, and what tells it from others of the name. */
const CLUSTER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$/;

/**
 * `wanted`, or an id of the same name as the old one: certificates and options that name the cluster go on being good. Throws
 * OPTIONS_INVALID.
 */
export function newClusterId(wanted: string | undefined, old: string): string {
  if (wanted === undefined) return `${clusterNameOf(old)}-${randomBytes(6).toString("hex")}`;
  if (CLUSTER_ID.test(wanted)) return wanted;
  throw new NodeError(
    "OPTIONS_INVALID",
    `Option --new-cluster-id is ${JSON.stringify(wanted)}; it may have letters, digits, dots, dashes and underscores, 127 at most, such as orders-2.`,
  );
}
