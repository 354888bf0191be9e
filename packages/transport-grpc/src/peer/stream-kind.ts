/**
 * Which of the two streams to a peer a message takes. Appends can fill any queue, window and socket; what keeps a leader in
 * office must never stand behind them, so it has a stream, a connection and a queue of its own, and is written first.
 *
 * Messages of one stream keep their order; between the streams there is none. What that costs:
 * O1. Whatever moves a follower's log (MsgApp, also empty ones) is on one stream: an empty MsgApp that overtook the entries
 *     before it would be rejected, and the leader would probe in place of streaming.
 * O2. A heartbeat that overtakes appends carries a commit index of at most what its receiver has acknowledged (thesis §3.8.1,
 *     etcd's `min(match, committed)`), so it names no entry that is still on its way.
 * O3. Acknowledgements keep their order with each other and with heartbeat responses. They overtake forwarded proposals, which
 *     promise no order with anything.
 * O4. A heartbeat response that comes while appends are queued makes the leader send at most one more append, an empty one if
 *     the follower's window is full: one small message per heartbeat.
 * O5. MsgTimeoutNow goes out once the new leader has acknowledged the whole log, so nothing that it needs is behind it.
 * O6. A vote request that overtakes an older term's append makes that append stale: as if it had been lost.
 */
import type { MessageType } from "@raftoral/raft-core/transport";

/** Which of the two streams to a peer a message takes. */
export type StreamKind = "control" | "appends";

/** MsgProp carries whole commands, and reaches the leader's log as appends do. */
export function streamOf(type: MessageType): StreamKind {
  return type === "MsgApp" || type === "MsgProp" ? "appends" : "control";
}
