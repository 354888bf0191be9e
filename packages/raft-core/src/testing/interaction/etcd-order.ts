/**
 * Puts the messages of a Ready in the order in which etcd/raft hands them out, for etcd's own scripts. For tests only.
 *
 * In asynchronous mode etcd/raft lets MsgVote leave at once. This core holds a MsgVote back until the candidate's term and vote
 * are durable (`raft.ts R2`), so that the MsgVote is a response of the MsgStorageAppend. The scripts print every message, and
 * therefore need the other order. A node that ran with that order could be elected twice in one term.
 */
import { type Message, message } from "../../message.ts";
import type { Ready } from "../../ready.ts";

/** `ready` with every MsgVote that waits for a write moved in front of that write. Synchronous mode has nothing to move. */
export function inEtcdOrder(ready: Ready): Ready {
  const messages = ready.messages.flatMap((m): Message[] => {
    if (m.type !== "MsgStorageAppend" || !m.responses.some(isVoteRequest)) return [m];
    const responses = m.responses.filter((response) => !isVoteRequest(response));
    return [...m.responses.filter(isVoteRequest), message({ ...m, responses })];
  });
  return { ...ready, messages };
}

function isVoteRequest({ type }: Message): boolean {
  return type === "MsgVote";
}
