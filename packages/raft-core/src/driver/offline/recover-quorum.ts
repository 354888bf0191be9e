/**
 * The way out when a majority of a group's voters is gone for good: one that is left is made the only voter.
 *
 * Role: computes and writes what turns a stopped node's group into a group of one. This is outside Raft, which is right to
 * stand still (paper §5.4: what a majority acknowledged is on a majority). What was acknowledged and is on none but the lost
 * nodes is lost; what was never acknowledged and is in this log comes into force. Never run it on two nodes: each would go on
 * by itself from then on.
 *
 * RQ1. Nothing that is in the log is dropped: everything in it counts as committed.
 * RQ2. The configuration changes by entries like any other, in a term of their own, so that a member of old that comes back
 *      cannot be elected by anyone who knows of them, and joins again only as a new node (M2).
 * RQ3. All of it is one batch: either the group is recovered or it is as before.
 */
import { encodeConfChangeV2 } from "../../eraftpb/conf-change.ts";
import { RaftError } from "../../errors.ts";
import type { GroupStorage, WriteBatch } from "../../ports/storage.ts";
import type { ConfChangeSingle, ConfChangeV2, ConfState, Entry, LogIndex, NodeId, Term } from "../../types.ts";
import { EMPTY_BYTES } from "../../types.ts";
import { nextConfState } from "../membership/conf-change.ts";
import { encodeMemberUpdate, membersOf } from "../membership/members.ts";
import { replayLog } from "./replay-log.ts";

/** What {@link recoverQuorum} would do, or did. */
export interface QuorumRecovery {
  readonly before: ConfState;
  readonly after: ConfState;
  /** Members that are removed. */
  readonly removed: readonly NodeId[];
  /** The last entry that this node knew to be committed. */
  readonly committed: LogIndex;
  /** The last entry of its log; those after `committed` may never have been acknowledged, and now count as committed. */
  readonly lastIndex: LogIndex;
  /** The term of the new entries. */
  readonly term: Term;
}

export interface QuorumRecoveryOptions {
  /** The node whose storage this is: the only voter from then on. */
  readonly nodeId: NodeId;
  /** Where it listens from now on, if that changes. */
  readonly address?: string;
  /** Only says what would be done (false). */
  readonly dryRun?: boolean;
}

/**
 * Makes `nodeId` the only voter of its group; the storage must not be in use by a running node. Throws RaftError
 * CONF_CHANGE_INVALID when this node does not belong to the group, or is its only voter already.
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

/** What leads from `confState` to one voter, step by step. */
function changesFor(confState: ConfState, { nodeId, address }: QuorumRecoveryOptions): readonly ConfChangeV2[] {
  const members = membersOf(confState);
  if (!members.includes(nodeId)) {
    throw new RaftError(
      "CONF_CHANGE_INVALID",
      `node ${nodeId} does not belong to its group any more (members: ${members.join(", ") || "none"}); recover with the data of one that does`,
      { details: { nodeId, members } },
    );
  }
  if (members.length === 1) {
    throw new RaftError("CONF_CHANGE_INVALID", `node ${nodeId} is the only member already; just start it`, {
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
  // Those that leaving the joint configuration has removed are not there any more.
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
