/**
 * Which node of which cluster this process is: what the storage says, or what the options make of a node that is new.
 *
 * Invariants:
 * I1. What the storage says stands: options that would make something else of it are ignored with a log line when they are
 *     harmless, and refused when they contradict it.
 * I2. The identity is durable before the node listens or takes part.
 */
import { createHash } from "node:crypto";
import type { Bootstrap, Logger, NodeAddress, NodeId } from "@raftoral/raft-core";
import { RaftoralError } from "@raftoral/raft-core";
import { clusterNameOf } from "../../api/cluster/cluster-id.ts";
import { NodeError } from "../../api/errors.ts";
import type { Environment } from "../../platform.ts";
import { Deadline } from "../../time/deadline.ts";
import { pause } from "../../time/pause.ts";
import type { NodeConfig, Origin } from "../config/node-config.ts";
import type { Dial } from "../membership/node-network.ts";
import type { NodeIdentity, NodeStorage } from "../storage/node-storage.ts";

/** The identity that a start found or got. */
export interface EstablishedIdentity {
  readonly identity: NodeIdentity;
  /** How the Raft group begins if nothing of it is stored. */
  readonly bootstrap: Bootstrap;
  /** Whether this start gave the node its identity. */
  readonly isNew: boolean;
}

/** What establishing an identity needs. */
export interface IdentityOptions {
  readonly config: NodeConfig;
  readonly storage: NodeStorage;
  /** Where others will reach this node. */
  readonly address: string;
  /** The id to ask for when joining: the one that the node's certificate names. 0: any. */
  readonly wantedNodeId: NodeId;
  readonly dial: Dial;
  readonly environment: Environment;
  readonly logger: Logger;
}

const DEFAULT_CLUSTER_NAME = "raftoral";
/** Node id of the first node of a bootstrapped cluster. */
const FIRST_NODE_ID = 1;
const JOIN_PAUSE_MS = 250;
/** A node that is there says so soon; one that hangs must not use up the time for the others. */
const DIAL_TIMEOUT_MS = 3_000;
/** The most that one of several targets gets at a time: one without a quorum would take all that there is. */
const TURN_MS = 5_000;
/** Whether a restarted node was pointed at another cluster is a courtesy check; it must not hold up the restart. */
const COURTESY_TIMEOUT_MS = 1_000;
/** Failures of a join that pass: the cluster is starting, electing, or busy with another change. */
const PASSING = new Set([
  "NODE_UNREACHABLE",
  "NODE_STARTING",
  "NODE_STOPPED",
  "NO_LEADER",
  "DEADLINE_EXCEEDED",
  "OVERLOADED",
  "TRANSPORT_TLS_FAILED",
]);

/**
 * Finds out who this node is, asking the cluster if it is to join one, and records it. Rejects with CLUSTER_MISSING,
 * CLUSTER_MISMATCH, JOIN_UNREACHABLE, or what the storage and the cluster say.
 */
export async function establishIdentity(options: IdentityOptions): Promise<EstablishedIdentity> {
  const known = options.storage.identity();
  if (known !== undefined) return restarted(known, options);
  const established = await created(options);
  await options.storage.setIdentity(established.identity);
  return established;
}

async function created(options: IdentityOptions): Promise<EstablishedIdentity> {
  const { config, address, environment, logger } = options;
  const { origin } = config;
  switch (origin.kind) {
    case "bootstrap": {
      const suffix = Buffer.from(environment.randomBytes(6)).toString("hex");
      const clusterId = clusterIdOf(config, suffix);
      const identity = { nodeId: FIRST_NODE_ID, clusterId };
      logger.info(identity, "a new cluster");
      return { identity, bootstrap: alone(address), isNew: true };
    }
    case "members": {
      const identity = { nodeId: origin.nodeId, clusterId: staticClusterId(config, origin.members) };
      return { identity, bootstrap: { kind: "members", members: origin.members }, isNew: true };
    }
    case "join": {
      const { nodeId, clusterId } = await askForPlace(origin.targets, options);
      logger.info({ nodeId, clusterId }, "admitted to the cluster");
      return { identity: { nodeId, clusterId }, bootstrap: { kind: "join" }, isNew: true };
    }
    case "restart":
      throw new NodeError(
        "CLUSTER_MISSING",
        `${config.dataDir === undefined ? "This node has no data folder" : `The data folder ${config.dataDir} is new`}, so it belongs to no cluster. ` +
          "Give bootstrap to make a cluster of this node, or join with the address of a member.",
      );
  }
}

async function restarted(known: NodeIdentity, options: IdentityOptions): Promise<EstablishedIdentity> {
  const { config, storage, address, logger } = options;
  const { origin, clusterName } = config;
  if (clusterName !== undefined && clusterNameOf(known.clusterId) !== clusterName) {
    throw mismatch(known, `not to one named ${clusterName}`);
  }
  if (origin.kind === "members") {
    // The storage refuses when it is another node's (I1).
    await storage.setIdentity({ nodeId: origin.nodeId, clusterId: staticClusterId(config, origin.members) });
    return { identity: known, bootstrap: { kind: "members", members: origin.members }, isNew: false };
  }
  if (origin.kind === "join") await checkTargets(known, origin.targets, options);
  if (origin.kind !== "restart") {
    logger.info({ ...known, ignored: origin.kind }, "the data folder belongs to a cluster already; going on from it");
  }
  return { identity: known, bootstrap: bootstrapOf(origin, address), isNew: false };
}

/** For a group that a first start left empty: it crashed between the identity and the first configuration. */
function bootstrapOf(origin: Origin, address: string): Bootstrap {
  return origin.kind === "bootstrap" ? alone(address) : { kind: "join" };
}

function alone(address: string): Bootstrap {
  return { kind: "members", members: [{ nodeId: FIRST_NODE_ID, address }] };
}

/** Refuses targets of another cluster; says nothing of targets that do not answer. */
async function checkTargets(known: NodeIdentity, targets: readonly string[], { dial }: IdentityOptions): Promise<void> {
  const limit = { timeoutMs: COURTESY_TIMEOUT_MS };
  for (const target of targets) {
    let clusterId: string;
    try {
      const peer = await dial(target, limit);
      try {
        ({ clusterId } = await peer.identity(limit));
      } finally {
        peer.close();
      }
    } catch (error) {
      if (error instanceof RaftoralError) continue;
      throw error;
    }
    if (clusterId === known.clusterId) return;
    throw mismatch(known, `but ${target} is a node of cluster ${clusterId}`);
  }
}

/** Asks one target after the other, round by round. Each gets a share of the time, so that one that cannot answer costs only that. */
async function askForPlace(targets: readonly string[], options: IdentityOptions): Promise<NodeIdentity> {
  const { config, environment, logger } = options;
  const deadline = new Deadline({ timeoutMs: config.joinTimeoutMs }, environment.clock);
  let last: RaftoralError | undefined;
  for (let round = 1; ; round += 1) {
    let insecure = 0;
    for (const [position, target] of targets.entries()) {
      const left = deadline.leftMs;
      if (left <= 0) break;
      const timeoutMs = Math.ceil(Math.min(left / (targets.length - position), turnMs(targets)));
      try {
        return await askOne(target, timeoutMs, options);
      } catch (error) {
        if (!(error instanceof RaftoralError) || !PASSING.has(error.code)) throw error;
        if (error.code === "TRANSPORT_TLS_FAILED") insecure += 1;
        last = error;
        if (round === 1) logger.warn({ target, err: error }, "cannot join there yet; trying on");
      }
    }
    // Certificates do not mend themselves; another member may have better ones.
    if (insecure === targets.length && last !== undefined) throw last;
    if (deadline.leftMs <= JOIN_PAUSE_MS) break;
    await pause(environment.clock, JOIN_PAUSE_MS);
  }
  throw new NodeError(
    "JOIN_UNREACHABLE",
    `No cluster could be joined at ${targets.join(", ")} within ${config.joinTimeoutMs} ms; the last answer was: ${last?.message ?? "none"} ` +
      "Check the address and that a majority of the cluster is up, then start this node again.",
    { retryable: true, cause: last, details: { targets } },
  );
}

/** A single target gets all the time there is. */
function turnMs(targets: readonly string[]): number {
  return targets.length === 1 ? Number.POSITIVE_INFINITY : TURN_MS;
}

/** Asks for a place within the time. The target changes nothing once that is over: another may be asked then. */
async function askOne(target: string, timeoutMs: number, options: IdentityOptions): Promise<NodeIdentity> {
  const { config, address, wantedNodeId, dial, environment } = options;
  const deadline = new Deadline({ timeoutMs }, environment.clock);
  const peer = await dial(target, { timeoutMs: Math.min(timeoutMs, DIAL_TIMEOUT_MS) });
  try {
    return await peer.join(address, config.clusterName ?? "", wantedNodeId, deadline.left());
  } finally {
    peer.close();
  }
}

function clusterIdOf(config: NodeConfig, suffix: string): string {
  return `${config.clusterName ?? DEFAULT_CLUSTER_NAME}-${suffix}`;
}

/** The same on every node that is given the same members, whatever their order. */
function staticClusterId(config: NodeConfig, members: readonly NodeAddress[]): string {
  const list = members.map(({ nodeId, address }) => `${nodeId}=${address}`).sort();
  return clusterIdOf(config, createHash("sha256").update(list.join(",")).digest("hex").slice(0, 12));
}

function mismatch(known: NodeIdentity, rest: string): NodeError {
  return new NodeError(
    "CLUSTER_MISMATCH",
    `The data folder belongs to node ${known.nodeId} of cluster ${known.clusterId}, ${rest}. Use another folder, or correct the options.`,
    { details: { ...known } },
  );
}
