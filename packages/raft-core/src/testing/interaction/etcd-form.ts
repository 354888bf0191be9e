/**
 * Makes a node of this core behave as etcd/raft does in the points in which the two differ on purpose, for scripts recorded with etcd/raft.
 * For tests only; the core's configuration has no option for it.
 *
 * - In asynchronous mode etcd/raft lets a MsgVote leave at once. Here it waits until the candidate's term and vote are durable
 *   (`raft.ts R2`), as a response of the MsgStorageAppend. In etcd's order a node can be elected twice in one term.
 * - Requests for votes and their answers tell the commit index here (`election.ts E4`).
 * - With `step-down-on-removal` etcd's leader steps down at the moment in which it applies its removal. Here the leader first makes sure
 *   that the others can go on (`removal.ts`).
 */
import { type Message, message } from "../../message.ts";
import { becomeFollower } from "../../raft/roles.ts";
import type { RawNode } from "../../raw-node.ts";
import type { Ready } from "../../ready.ts";
import { NONE } from "../../types.ts";

/** `ready` with each MsgVote before the write that it waits for, and without the fields that etcd's messages do not have. */
export function inEtcdForm(ready: Ready): Ready {
  const messages = ready.messages.flatMap((m): Message[] => {
    if (m.type !== "MsgStorageAppend") return [withoutExtras(m)];
    const responses = m.responses.map(withoutExtras);
    const requests = responses.filter(isVoteRequest);
    return [...requests, message({ ...m, responses: responses.filter((response) => !isVoteRequest(response)) })];
  });
  return { ...ready, messages };
}

/** Makes a leader step down that has just applied the loss of its vote. Call it after each applied change. */
export function stepDownAtOnce({ raft }: RawNode): void {
  const own = raft.tracker.get(raft.id);
  const hasVote = own !== undefined && !own.isLearner;
  if (raft.role === "StateLeader" && !hasVote) becomeFollower(raft, raft.term, NONE);
}

function isVoteRequest({ type }: Message): boolean {
  return type === "MsgVote";
}

function withoutExtras(m: Message): Message {
  switch (m.type) {
    case "MsgVote":
    case "MsgVoteResp":
    case "MsgPreVote":
    case "MsgPreVoteResp":
      return message({ ...m, commit: 0, commitTerm: 0 });
    default:
      return m;
  }
}
