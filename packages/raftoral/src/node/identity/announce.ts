/**
 * A restarted node tells the cluster where it is now, and hears whether it still belongs to it.
 *
 * A node at a new address cannot wait to be called, for no other node knows the address: so it calls the others where it last knew them, and at the
 * addresses of its options. Those may have moved as well: the node dials a member that it finds at such an address there, while the
 * recorded address fails (membership.ts J6).
 */
import { type Clock, type Logger, NONE, RaftoralError } from "@raftoral/raft-core";
import { pause } from "../../time/pause.ts";
import type { Membership, WorkflowCluster } from "../membership/membership.ts";
import type { Dial } from "../membership/node-network.ts";
import type { NodeIdentity } from "../storage/node-storage.ts";

/** What a restarted node announces, and to whom. */
export interface Announcement {
  readonly cluster: WorkflowCluster;
  readonly membership: Membership;
  readonly dial: Dial;
  readonly identity: NodeIdentity;
  readonly address: string;
  /** Addresses from the options, in case those stored are out of date. */
  readonly targets: readonly string[];
  /** Before the first attempt. */
  readonly delayMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const ATTEMPT_TIMEOUT_MS = 2_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** The cluster's last word: asking again would not change it. */
const FINAL = new Set(["NODE_REMOVED", "NODE_UNKNOWN", "CLUSTER_MISMATCH"]);

/**
 * Goes on until a leader is heard and the cluster has this node's address, or `stop` fires. Resolves with an error when the
 * node does not belong to the cluster any more. Never rejects.
 */
export async function announceAddress(announcement: Announcement, stop: AbortSignal): Promise<Error | undefined> {
  await pause(announcement.clock, announcement.delayMs, stop);
  for (let pauseMs = FIRST_PAUSE_MS; !stop.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const outcome = await attempt(announcement);
    if (outcome === "known") return undefined;
    if (outcome !== "later") return outcome;
    await pause(announcement.clock, pauseMs, stop);
  }
  return undefined;
}

async function attempt(announcement: Announcement): Promise<"known" | "later" | RaftoralError> {
  const { cluster, membership, dial, identity, address, targets, logger } = announcement;
  const limit = { timeoutMs: ATTEMPT_TIMEOUT_MS };
  const members = membership.members();
  try {
    if (cluster.leader !== NONE) {
      if (members.some((member) => member.nodeId === identity.nodeId && member.address === address)) return "known";
      await membership.readdress(identity.nodeId, address, limit);
      return "known";
    }
  } catch (error) {
    return judge(error);
  }
  const others = members.filter((member) => member.nodeId !== identity.nodeId).map((member) => member.address);
  for (const target of new Set([...others, ...targets])) {
    try {
      const peer = await dial(target, limit);
      try {
        const found = await peer.identity(limit);
        if (found.clusterId === identity.clusterId) membership.suggest(found.nodeId, target);
        await peer.announce(identity.clusterId, identity.nodeId, address, limit);
        logger.info({ address, to: target }, "address announced");
        return "later";
      } finally {
        peer.close();
      }
    } catch (error) {
      const outcome = judge(error);
      if (outcome !== "later" && mayTell(target, announcement)) return outcome;
    }
  }
  return "later";
}

/**
 * Whether who is at `target` can say that this node is none of them. A target from the options may be anything. So may a member of a
 * folder that was restored or recovered: what is committed in its log takes the old members out, and is not applied at first.
 */
function mayTell(target: string, { cluster, membership }: Announcement): boolean {
  const { applied, commit } = cluster.status();
  return applied >= commit && membership.members().some(({ address }) => address === target);
}

function judge(error: unknown): "later" | RaftoralError {
  return error instanceof RaftoralError && FINAL.has(error.code) ? error : "later";
}
