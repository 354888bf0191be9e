/**
 * The snapshots that a node sends and receives, of all its groups.
 *
 * Invariants:
 * X1. At most `maxSnapshotSends` go out at a time. A further one is refused at once: Raft asks again.
 * X2. All that go out share one rate, `snapshotBytesPerSecond`.
 * X3. With its group, or the node, a snapshot ends, in whichever direction it goes.
 */
import { type GroupId, type LogIndex, type NodeId, TransportError } from "@raftoral/raft-core";
import type { Message, SnapshotStream } from "@raftoral/raft-core/transport";
import type { LocalNode } from "./local-node.ts";
import { delegateSnapshot } from "./peer/delegate-call.ts";
import type { DialTarget } from "./peer/dial-target.ts";
import { SnapshotPace } from "./peer/snapshot-pace.ts";
import { sendSnapshot } from "./peer/snapshot-sender.ts";
import { SnapshotReceipts } from "./server/snapshot-receipts.ts";

/** The transfers of one node (X1 to X3). */
export class SnapshotTransfers {
  readonly receipts: SnapshotReceipts;
  readonly #local: LocalNode;
  readonly #pace: SnapshotPace;
  /** What ends the snapshots on their way out, by the group that sends them. */
  readonly #sends = new Map<AbortController, GroupId>();
  /** The same of those that others were asked to send. */
  readonly #delegations = new Map<AbortController, GroupId>();

  constructor(local: LocalNode) {
    this.#local = local;
    this.#pace = new SnapshotPace(local.clock, local.settings.snapshotBytesPerSecond);
    this.receipts = new SnapshotReceipts(local);
  }

  /** Rejects with TRANSPORT_SNAPSHOT_LIMIT (X1), and as `sendSnapshot` does. */
  async send(groupId: GroupId, message: Message, content: SnapshotStream): Promise<void> {
    const local = this.#local;
    const { maxSnapshotSends } = local.settings;
    const target = (): DialTarget => this.#targetOf(message.to);
    target();
    if (this.#sends.size >= maxSnapshotSends) {
      local.counters.snapshotsPutOff += 1;
      throw new TransportError(
        "TRANSPORT_SNAPSHOT_LIMIT",
        `Node ${local.nodeId} sends ${maxSnapshotSends} snapshots already, so node ${message.to} has to wait. Raise maxSnapshotSends to send more at once.`,
        { retryable: true, details: { nodeId: message.to, groupId, maxSnapshotSends } },
      );
    }
    const stop = new AbortController();
    this.#sends.set(stop, groupId);
    try {
      await sendSnapshot({ local, target, groupId, message, content, pace: this.#pace, stop: stop.signal });
    } finally {
      this.#sends.delete(stop);
    }
  }

  /** Asks a member to send in this node's place. Rejects as `delegateSnapshot` does. */
  async delegate(
    groupId: GroupId,
    asked: { readonly delegate: NodeId; readonly message: Message; readonly minIndex: LogIndex },
  ): Promise<void> {
    const target = this.#targetOf(asked.delegate);
    const stop = new AbortController();
    this.#delegations.set(stop, groupId);
    try {
      await delegateSnapshot({ ...asked, local: this.#local, target, groupId, stop: stop.signal });
    } finally {
      this.#delegations.delete(stop);
    }
  }

  /** X3. Of one group, or of all. */
  close(groupId?: GroupId): void {
    // A peer that does not read would keep content, and what it is read from, for the time of its patience.
    for (const [stop, group] of [...this.#sends, ...this.#delegations]) {
      if (groupId === undefined || group === groupId) stop.abort();
    }
    this.receipts.close(groupId);
  }

  #targetOf(peer: NodeId): DialTarget {
    const target = this.#local.peerTarget(peer);
    if (target !== undefined) return target;
    throw new TransportError(
      "TRANSPORT_PEER_UNREACHABLE",
      `Node ${this.#local.nodeId} knows no node ${peer} to send a snapshot to. Add it to the transport.`,
      { details: { nodeId: peer } },
    );
  }
}
