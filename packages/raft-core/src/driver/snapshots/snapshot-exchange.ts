/**
 * A group's snapshots between nodes: has what the core wants sent (MsgSnap) sent by somebody, sends for a leader that asks, and knows
 * how far each is.
 *
 * Another member may send in the leader's place. It sends its own latest snapshot and not the one that the core thinks of, in the
 * leader's name: the message's sender and term stay the leader's, so the receiver follows and answers the leader. Why that is safe:
 *
 * DL1. A snapshot is of applied entries, so of committed ones, and every node's committed entries are the same (Raft paper §5.4): whose
 *      snapshot it is makes no difference to what is true of it. Index, term and configuration are the sender's own.
 * DL2. A delegate acts only in the term that it knows to be the leader's: a deposed leader's wish is refused here, and where it
 *      is not, the receiver refuses a message of an old term.
 * DL3. It helps only if the leader's log goes on from it: its index is at least `firstIndex - 1`, and that part of the log is kept while
 *      it is on its way. If it is behind the snapshot that the core thinks of, the receiver's acknowledgement takes Progress out
 *      of StateSnapshot just so (`match + 1 >= firstIndex`); if that comes after the report, the probe behind the core's
 *      snapshot is refused once and goes back.
 * DL4. The core hears of each MsgSnap exactly once how it went, whoever sent, unless the group has stopped.
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

/** A failed snapshot is tried again at once; one that keeps failing, for full or busy receivers, ever more slowly. */
const MIN_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;

type Outcome = "finish" | "failure";

/** What the exchange sees of the core. */
export interface CoreView {
  readonly term: Term;
  readonly lead: NodeId;
  readonly role: RaftRole;
  readonly tracker: { readonly progress: ReadonlyMap<NodeId, Progress> };
  readonly log: { readonly applied: LogIndex };
}

/** What the exchange needs of its group. */
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
  /** How a MsgSnap of the core's went (DL4). */
  report(to: NodeId, outcome: Outcome): void;
}

/** The snapshots of one group that are on their way from this node and to it. */
export class SnapshotExchange {
  readonly #host: SnapshotExchangeHost;
  readonly #transfers: SnapshotTransfers;
  readonly #delegates = new SnapshotDelegates();
  /** Failures in a row, by receiver. */
  readonly #failures = new Map<NodeId, number>();
  readonly #delays = new Set<Cancel>();

  constructor(host: SnapshotExchangeHost) {
    this.#host = host;
    this.#transfers = new SnapshotTransfers(host.options.clock);
  }

  status(): readonly SnapshotTransferStatus[] {
    return this.#transfers.status();
  }

  /** Has the snapshot sent that the core wants `message.to` to have (DL4). */
  send(channel: GroupChannel, message: Message): void {
    void this.#send(channel, message).then((outcome) => this.#report(message.to, outcome));
  }

  /**
   * Sends this node's own snapshot for a leader that asks. Rejects with SNAPSHOT_UNAVAILABLE when there is none that helps, or when it did
   * not arrive.
   */
  async sendFor(channel: GroupChannel, message: Message, minIndex: LogIndex): Promise<void> {
    const { term, lead } = this.#host.raft;
    if (message.term !== term || message.from !== lead) {
      throw unavailable(
        message,
        `it was asked by node ${message.from} of term ${message.term}, and knows ${lead} of ${term}`,
      );
    }
    const own = await this.#ownFor(message, minIndex);
    if (own === undefined) throw unavailable(message, `it has none at ${minIndex} or later that has the member in it`);
    if ((await this.#sendOwn(channel, own)) === "failure") throw unavailable(message, "it could not be sent");
  }

  /** Counts what comes in. */
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

  /** The group stops: nothing more is reported. */
  close(): void {
    for (const cancel of this.#delays) cancel();
    this.#delays.clear();
  }

  async #send(channel: GroupChannel, message: Message): Promise<Outcome> {
    const delegate = this.#delegateFor(channel, message);
    if (delegate !== undefined && (await this.#delegated(channel, delegate, message))) return "finish";
    const { raft } = this.#host;
    // Deposed while another tried: the next leader decides.
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

  /** The announcement of a snapshot of this node's that helps; a new one is taken where the latest does not. */
  async #ownFor(message: Message, minIndex: LogIndex): Promise<Message | undefined> {
    // A durable executor's is captured when it is sent, and looked at then.
    if (this.#host.options.executor.persist !== undefined) {
      return this.#host.raft.log.applied >= minIndex ? message : undefined;
    }
    const latest = this.#latestFor(message, minIndex);
    if (latest !== undefined) return latest;
    // Another that is being written may be as good; what there is then decides.
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
    // Until it is told, the core sends nothing to this member: which is the pause.
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
    `this node cannot send a snapshot to node ${to} for the leader: ${why}`,
    {
      retryable: true,
      details: { nodeId: to },
    },
  );
}
