/** One group's part in the heartbeats of its node. Heartbeats that tell the core nothing new need no message (raft/nothing-new.ts). */
import { type Message, message } from "../../message.ts";
import type { RawNode } from "../../raw-node.ts";
import type { GroupId, LogIndex, NodeId, RaftRole, Term } from "../../types.ts";
import type { ResolvedOptions } from "../options.ts";
import type { HeartbeatGroup } from "./heartbeat-group.ts";
import { type HeartbeatMembership, heartbeatsOf } from "./node-heartbeats.ts";
import { tickerOf } from "./ticker.ts";

/** The parts of a group that its heartbeats use. */
export interface HeartbeatHost {
  readonly options: Pick<
    ResolvedOptions<never, never>,
    "nodeId" | "groupId" | "transport" | "timing" | "rng" | "clock" | "coalesceHeartbeatsFrom"
  >;
  readonly raw: Pick<RawNode, "heardNothingNew" | "answeredNothingNew"> & {
    readonly raft: { readonly role: RaftRole; readonly term: Term };
  };
  readonly lifecycle: { readonly isRunning: boolean };
  readonly leadership: { heard(member: NodeId): void };
  readonly inbox: {
    /** Steps a message as if it had come from the transport. */
    receive(from: NodeId, messages: readonly Message[]): void;
  };
}

/** Lets a group take part in the heartbeats of its node. Undefined for a group that sends its heartbeats by itself. */
export function joinHeartbeats(host: HeartbeatHost): HeartbeatMembership | undefined {
  const { transport, timing, rng, clock, coalesceHeartbeatsFrom } = host.options;
  if (coalesceHeartbeatsFrom === Number.POSITIVE_INFINITY) return undefined;
  const ticker = tickerOf(clock, timing.tickMs);
  const heartbeats = heartbeatsOf({ transport, ticker, heartbeatTicks: timing.heartbeatTicks, rng });
  return heartbeats?.join(new GroupHeartbeats(host), coalesceHeartbeatsFrom);
}

class GroupHeartbeats implements HeartbeatGroup {
  readonly groupId: GroupId;
  readonly #host: HeartbeatHost;

  constructor(host: HeartbeatHost) {
    this.#host = host;
    this.groupId = host.options.groupId;
  }

  leads(term: Term): boolean {
    const { raft } = this.#host.raw;
    return this.#host.lifecycle.isRunning && raft.role === "StateLeader" && raft.term === term;
  }

  heard(leader: NodeId, term: Term, commit: LogIndex): boolean {
    const { raw, lifecycle, leadership, options } = this.#host;
    if (!lifecycle.isRunning) return false;
    if (raw.heardNothingNew(leader, term, commit)) {
      leadership.heard(leader);
      return true;
    }
    this.#host.inbox.receive(leader, [
      message({ type: "MsgHeartbeat", from: leader, to: options.nodeId, term, commit }),
    ]);
    return false;
  }

  answered(member: NodeId, term: Term): void {
    const { raw, lifecycle, leadership, options } = this.#host;
    if (!lifecycle.isRunning) return;
    if (raw.answeredNothingNew(member, term)) leadership.heard(member);
    else
      this.#host.inbox.receive(member, [message({ type: "MsgHeartbeatResp", from: member, to: options.nodeId, term })]);
  }
}
