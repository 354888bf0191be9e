/**
 * A group's snapshots between nodes. Sends the snapshots that the core asks for (MsgSnap), or has another member send them; sends
 * snapshots for a leader that asks; and tracks the transfers.
 *
 * Another member, the delegate, may send in the leader's place. The delegate sends its own latest snapshot, not the one that the core named. The
 * message keeps the leader as its sender and the leader's term, so the receiver follows and answers the leader. Reasons why that is safe:
 *
 * DL1. A snapshot holds applied entries, so committed ones, and the committed entries of all nodes are the same (Raft paper §5.4). Therefore the
 *      delegate's snapshot is as valid as the leader's. Index, term and configuration are those of the delegate's snapshot.
 * DL2. A delegate acts only in the term in which it knows the leader. It refuses the request of a deposed leader; if it does not
 *      know better yet, the receiver refuses the message of the old term.
 * DL3. A snapshot is useful only if the leader's log continues from it: its index is at least `firstIndex - 1`, and that part of the log is kept
 *      while the snapshot is being sent. The delegate's snapshot may be older than the one that the core named. Then the receiver's acknowledgement
 *      still ends StateSnapshot (`match + 1 >= firstIndex`). If the acknowledgement comes after the report, the probe behind the core's
 *      snapshot is refused once, and probing goes back.
 * DL4. The core gets exactly one report about each MsgSnap, also if a delegate sent it, unless the group has stopped.
 */
import { RaftError } from "../../errors.ts";
import type { Message } from "../../message.ts";
import type { Cancel } from "../../ports/clock.ts";
import type { AnyExecutor } from "../../ports/executor.ts";
import type { GroupChannel } from "../../ports/peer-transport.ts";
import type { SnapshotStream } from "../../ports/snapshot-stream.ts";
import type { Progress } from "../../tracker/progress.ts";
import { EMPTY_BYTES, type LogIndex, type NodeId, type RaftRole, type Term } from "../../types.ts";
import type { ResolvedOptions } from "../options.ts";
import { SnapshotDelegates } from "./snapshot-delegates.ts";
import { coversReceiver } from "./snapshot-message.ts";
import { offerSnapshot } from "./snapshot-offer.ts";
import { type SnapshotTransferStatus, SnapshotTransfers } from "./snapshot-transfers.ts";
import type { Snapshotter } from "./snapshotter.ts";

/**
 * A snapshot that failed once is reported at once, and the core asks again. For a receiver that keeps failing the report is delayed by these
 * times, doubled with each failure.
 */
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;

type Outcome = "finish" | "failure";

/** The part of the core that the exchange reads. */
export interface CoreView {
  readonly term: Term;
  readonly lead: NodeId;
  readonly role: RaftRole;
  readonly tracker: { readonly progress: ReadonlyMap<NodeId, Progress> };
  readonly log: { readonly applied: LogIndex };
}

/** The parts of the group that the exchange uses. */
export interface SnapshotExchangeHost {
  readonly options: Pick<
    ResolvedOptions<never, never>,
    "nodeId" | "groupId" | "storage" | "clock" | "timing" | "logger"
  > & {
    readonly executor: Pick<AnyExecutor, "persist">;
  };
  readonly raft: CoreView;
  readonly leadership: { silentTicks(member: NodeId): number };
  readonly snapshotter: Pick<Snapshotter, "holdLog" | "stored" | "capture" | "send">;
  /** Takes a snapshot of this node's state now. */
  takeSnapshot(): Promise<unknown>;
  /** Runs a step between two batches; rejects when the node stops first. */
  exclusively(run: () => Promise<void>): Promise<void>;
  /** Reports the outcome of a MsgSnap to the core (DL4). */
  report(to: NodeId, outcome: Outcome): void;
}

/** The snapshots that one group sends from this node and receives on it. */
export class SnapshotExchange {
  readonly #host: SnapshotExchangeHost;
  readonly #transfers: SnapshotTransfers;
  readonly #delegates = new SnapshotDelegates();
  /** Number of failures in a row, by receiver. */
  readonly #failures = new Map<NodeId, number>();
  readonly #delays = new Set<Cancel>();

  constructor(host: SnapshotExchangeHost) {
    this.#host = host;
    this.#transfers = new SnapshotTransfers(host.options.clock);
  }

  /** The transfers that run at this moment. */
  status(): readonly SnapshotTransferStatus[] {
    return this.#transfers.status();
  }

  /** Sends the snapshot that the core asks for in `message`, itself or through a delegate, and reports the outcome to the core (DL4). */
  send(channel: GroupChannel, message: Message): void {
    void this.#send(channel, message).then((outcome) => this.#report(message.to, outcome));
  }

  /**
   * Sends this node's own snapshot for a leader that asks. Rejects with SNAPSHOT_UNAVAILABLE when this node has no useful snapshot (DL3), does not
   * follow that leader (DL2), or could not deliver the snapshot.
   */
  async sendFor(channel: GroupChannel, message: Message, minIndex: LogIndex): Promise<void> {
    const { term, lead } = this.#host.raft;
    if (message.term !== term || message.from !== lead) {
      throw unavailable(
        message,
        `the request is of node ${message.from} in term ${message.term}, but this node knows leader ${lead} in term ${term}`,
      );
    }
    const own = await this.#ownFor(message, minIndex);
    if (own === undefined) throw unavailable(message, `none at index ${minIndex} or later has that node as a member`);
    if ((await this.#sendOwn(channel, own)) === "failure") throw unavailable(message, "the transfer failed");
  }

  /** Tracks a received snapshot while `store` stores its content. */
  receive<Value>(
    message: Message,
    content: SnapshotStream,
    store: (content: SnapshotStream) => Promise<Value>,
  ): Promise<Value> {
    const index = message.snapshot?.metadata.index ?? 0;
    return this.#transfers.during({ direction: "receive", peer: message.from, index }, (counted) =>
      store(counted(content)),
    );
  }

  /** Called when the group stops. Cancels delayed reports. */
  close(): void {
    for (const cancel of this.#delays) cancel();
    this.#delays.clear();
  }

  async #send(channel: GroupChannel, message: Message): Promise<Outcome> {
    const delegate = this.#delegateFor(channel, message);
    if (delegate !== undefined && (await this.#delegated(channel, delegate, message))) return "finish";
    const { raft } = this.#host;
    // This node was deposed while the delegate tried. The next leader decides.
    if (raft.term !== message.term || raft.role !== "StateLeader") return "failure";
    return await this.#sendOwn(channel, message);
  }

  #delegateFor(channel: GroupChannel, message: Message): NodeId | undefined {
    if (channel.delegateSnapshot === undefined) return undefined;
    const { options, raft, leadership } = this.#host;
    return this.#delegates.choose({
      self: options.nodeId,
      receiver: message.to,
      upTo: message.snapshot?.metadata.index ?? 0,
      progress: raft.tracker.progress,
      isHeard: (member) => leadership.silentTicks(member) < options.timing.electionTicks,
      salt: options.groupId,
    });
  }

  async #delegated(channel: GroupChannel, delegate: NodeId, message: Message): Promise<boolean> {
    const { options, snapshotter } = this.#host;
    const minIndex = options.storage.firstIndex() - 1;
    const fields = { to: message.to, delegate };
    const index = message.snapshot?.metadata.index ?? 0;
    const release = snapshotter.holdLog(minIndex);
    try {
      await this.#delegates.during(delegate, () =>
        this.#transfers.during({ direction: "delegated", peer: message.to, delegate, index }, async () => {
          await channel.delegateSnapshot?.(delegate, message, minIndex);
        }),
      );
      options.logger.info(fields, "another member sent a snapshot in this node's place");
      return true;
    } catch (error) {
      options.logger.info({ ...fields, err: error }, "this node sends a snapshot itself: the member asked could not");
      return false;
    } finally {
      release();
    }
  }

  /** The announcement of a useful snapshot of this node (DL3). Takes a new snapshot when the latest is not useful. */
  async #ownFor(message: Message, minIndex: LogIndex): Promise<Message | undefined> {
    // The snapshot of a durable executor is captured, and checked, when it is sent.
    if (this.#host.options.executor.persist !== undefined) {
      return this.#host.raft.log.applied >= minIndex ? message : undefined;
    }
    const latest = this.#latestFor(message, minIndex);
    if (latest !== undefined) return latest;
    // Taking one fails while another is being written. The latest one after that decides.
    await this.#host.takeSnapshot().catch(() => {});
    return this.#latestFor(message, minIndex);
  }

  #latestFor(message: Message, minIndex: LogIndex): Message | undefined {
    const snapshot = this.#host.options.storage.snapshot();
    if (snapshot === "unavailable" || snapshot.metadata.index === 0) return undefined;
    const { metadata } = snapshot;
    const own = { ...message, snapshot: { metadata, data: EMPTY_BYTES } };
    return metadata.index >= minIndex && coversReceiver(own) ? own : undefined;
  }

  #sendOwn(channel: GroupChannel, message: Message): Promise<Outcome> {
    const { snapshotter } = this.#host;
    const index = message.snapshot?.metadata.index ?? 0;
    return this.#transfers.during({ direction: "send", peer: message.to, index }, (counted) => {
      const counting: GroupChannel = {
        send: (messages) => channel.send(messages),
        sendSnapshot: (announced, content) => channel.sendSnapshot(announced, counted(content)),
        close: () => channel.close(),
      };
      const host = {
        snapshotter,
        exclusively: (run: () => Promise<void>) => this.#host.exclusively(run),
        retake: () => this.#host.takeSnapshot(),
      };
      return offerSnapshot(host, counting, message);
    });
  }

  #report(to: NodeId, outcome: Outcome): void {
    if (outcome === "finish") {
      this.#failures.delete(to);
      this.#host.report(to, outcome);
      return;
    }
    const failures = (this.#failures.get(to) ?? 0) + 1;
    this.#failures.set(to, failures);
    if (failures === 1) {
      this.#host.report(to, outcome);
      return;
    }
    // The core sends nothing to this member until the report, so a late report is a pause.
    const delayMs = Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** Math.min(failures - 2, 10));
    const cancel = this.#host.options.clock.after(delayMs, () => {
      this.#delays.delete(cancel);
      this.#host.report(to, outcome);
    });
    this.#delays.add(cancel);
  }
}

function unavailable({ to }: Message, why: string): RaftError {
  return new RaftError(
    "SNAPSHOT_UNAVAILABLE",
    `This node cannot send a snapshot to node ${to} for the leader: ${why}. The leader sends it itself; nothing needs to be done.`,
    {
      retryable: true,
      details: { nodeId: to },
    },
  );
}
