/**
 * Recovers a group that has lost a majority of its voters for good: one remaining node becomes the only voter.
 *
 * Role: computes and writes the entries that turn a stopped node's group into a group of one. This breaks a guarantee of Raft, in which a
 * group without a majority must wait (Raft paper §5.4). Acknowledged entries that only the lost nodes had are lost. Entries in this
 * log that were never acknowledged take effect. Never run it on two nodes of a group: each would become a group of its own.
 *
 * RQ1. No entry of the log is dropped: all of them count as committed.
 * RQ2. The configuration changes by ordinary entries, in a term of their own. So no node that has these entries votes for a former
 *      member that comes back, and that member can join again only as a new node (members.ts M2).
 * RQ3. All changes are one batch: either the group is recovered or it is as before.
 */
import { encodeConfChangeV2 } from "../../eraftpb/conf-change.ts";
import { RaftError } from "../../errors.ts";
import type { GroupStorage, WriteBatch } from "../../ports/storage.ts";
import type { ConfChangeSingle, ConfChangeV2, ConfState, Entry, LogIndex, NodeId, Term } from "../../types.ts";
import { EMPTY_BYTES } from "../../types.ts";
import { nextConfState } from "../membership/conf-change.ts";
import { encodeMemberUpdate, membersOf } from "../membership/members.ts";
import { replayLog } from "./replay-log.ts";

/** The result of {@link recoverQuorum}, or with `dryRun` the result that it would have. */
export interface QuorumRecovery {
  readonly before: ConfState;
  readonly after: ConfState;
  /** Members that are removed. */
  readonly removed: readonly NodeId[];
  /** Index of the last entry that this node knew to be committed. */
  readonly committed: LogIndex;
  /** Index of the last entry before the recovery. Entries after `committed` may never have been acknowledged, and now count as committed. */
  readonly lastIndex: LogIndex;
  /** Term of the new entries. */
  readonly term: Term;
}

/** Options of {@link recoverQuorum}. */
export interface QuorumRecoveryOptions {
  /** The node of this storage. It becomes the only voter. */
  readonly nodeId: NodeId;
  /** The node's new address, if the address changes. */
  readonly address?: string;
  /** Whether to compute the result without writing (false). */
  readonly dryRun?: boolean;
}

/**
 * Makes `nodeId` the only voter of its group. The storage must not be in use by a running node. Rejects with RaftError
 * CONF_CHANGE_INVALID when this node does not belong to the group, or is its only member already, and with errors of the storage.
 */
export async function recoverQuorum(storage: GroupStorage, options: QuorumRecoveryOptions): Promise<QuorumRecovery> {
  const { nodeId } = options;
  const { hardState } = storage.initialState();
  const lastIndex = storage.lastIndex();
  const { confState: before } = await replayLog(storage, lastIndex);
  const changes = changesFor(before, options);
  const after = changes.reduce<ConfState>(apply, before);
  const term = hardState.term + 1;
  const entries = changes.map(
    (change, at): Entry => ({
      term,
      index: lastIndex + 1 + at,
      type: "EntryConfChangeV2",
      data: isLeave(change) ? EMPTY_BYTES : encodeConfChangeV2(change),
    }),
  );
  const batch: WriteBatch = { hardState: { term, vote: nodeId, commit: lastIndex + entries.length }, entries };
  if (options.dryRun !== true) await storage.write(batch);
  const removed = membersOf(before).filter((id) => id !== nodeId);
  return { before, after, removed, committed: hardState.commit, lastIndex, term };
}

/** The changes that lead from `confState` to one voter, in order. */
function changesFor(confState: ConfState, { nodeId, address }: QuorumRecoveryOptions): readonly ConfChangeV2[] {
  const members = membersOf(confState);
  if (!members.includes(nodeId)) {
    throw new RaftError(
      "CONF_CHANGE_INVALID",
      `Node ${nodeId} does not belong to its group any more (members: ${members.join(", ") || "none"}). Recover with the data of a member.`,
      { details: { nodeId, members } },
    );
  }
  if (members.length === 1) {
    throw new RaftError("CONF_CHANGE_INVALID", `Node ${nodeId} is the only member already. Start it as it is.`, {
      details: { nodeId },
    });
  }
  const steps: ConfChangeV2[] = [];
  let current = confState;
  const take = (change: ConfChangeV2) => {
    steps.push(change);
    current = apply(current, change);
  };
  if (current.votersOutgoing.length > 0) take(LEAVE);
  // Leaving the joint configuration has removed some members already.
  const others = membersOf(current).filter((id) => id !== nodeId);
  const singles: ConfChangeSingle[] = others.map((id) => ({ type: "RemoveNode", nodeId: id }));
  if (!current.voters.includes(nodeId)) singles.unshift({ type: "AddNode", nodeId });
  const addresses = address === undefined ? [] : [{ nodeId, address }];
  if (singles.length > 0) {
    take({ transition: "Auto", changes: singles, context: encodeMemberUpdate({ addresses, newIds: [] }) });
  }
  if (current.votersOutgoing.length > 0) take(LEAVE);
  return steps;
}

const LEAVE: ConfChangeV2 = Object.freeze({ transition: "Auto", changes: [], context: EMPTY_BYTES });

function isLeave(change: ConfChangeV2): boolean {
  return change.changes.length === 0;
}

function apply(confState: ConfState, change: ConfChangeV2): ConfState {
  const next = nextConfState(confState, change);
  if (next instanceof RaftError) throw next;
  return next;
}
