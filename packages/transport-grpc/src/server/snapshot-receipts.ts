/**
 * The snapshots that this node receives.
 *
 * Invariants:
 * C1. One of a group at a time. A further one is refused while the first is fed; one that lost its connection makes room.
 * C2. At most `maxSnapshotReceipts`, those that wait for a connection included: the oldest of these makes room for a new one.
 */
import { type GroupId, TransportError } from "@raftoral/raft-core";
import type { GroupReceiver } from "@raftoral/raft-core/transport";
import type { LocalNode } from "../local-node.ts";
import { type SnapshotOffer, SnapshotReceipt } from "./snapshot-receipt.ts";
import { snapshotRefused } from "./snapshot-refused.ts";

/** The receipts of one node (C1, C2). */
export class SnapshotReceipts {
  readonly #local: LocalNode;
  /** In order of their beginning. */
  readonly #receipts = new Map<GroupId, SnapshotReceipt>();
  /** Groups whose last receipt has ended for the sender, and not yet for the group. */
  readonly #ending = new Map<GroupId, Promise<unknown>>();

  constructor(local: LocalNode) {
    this.#local = local;
  }

  get size(): number {
    return this.#receipts.size;
  }

  /** Those that have a connection. */
  get fed(): number {
    return [...this.#receipts.values()].filter((receipt) => receipt.isFed).length;
  }

  /** The receipt that goes on with the offer: one that was cut, or a new one. Throws a refusal (C1, C2). */
  async open(offer: SnapshotOffer, receiver: GroupReceiver): Promise<SnapshotReceipt> {
    const { groupId, identity } = offer;
    const known = this.#receipts.get(groupId);
    if (known !== undefined) {
      if (identity !== undefined && identity === known.offer.identity) return known;
      if (known.isFed) {
        const { index } = known.offer.message.snapshot?.metadata ?? { index: 0 };
        throw snapshotRefused("SNAPSHOT_BUSY", `group ${groupId} is receiving another snapshot, at index ${index}`);
      }
      this.#giveUp(known, "another snapshot came in its place");
    }
    this.#makeRoom();
    // The group takes one at a time, and the last one may still be on its way out.
    await this.#ended(groupId);
    if (this.#receipts.has(groupId) || this.#ending.has(groupId)) {
      throw snapshotRefused("SNAPSHOT_BUSY", `group ${groupId} has not yet done with another snapshot`);
    }
    return this.#begin(offer, receiver);
  }

  /** Ends those of a group, or all. */
  close(groupId?: GroupId): void {
    for (const receipt of [...this.#receipts.values()]) {
      if (groupId === undefined || receipt.offer.groupId === groupId) this.#giveUp(receipt, "this node stops");
    }
  }

  #begin(offer: SnapshotOffer, receiver: GroupReceiver): SnapshotReceipt {
    const { clock, settings, counters } = this.#local;
    const receipt = new SnapshotReceipt(offer, {
      clock,
      resumeTimeoutMs: settings.snapshotResumeTimeoutMs,
      maxChunkBytes: settings.maxFrameBytes,
      received: (bytes) => {
        counters.snapshotBytesReceived += bytes;
      },
    });
    this.#receipts.set(offer.groupId, receipt);
    const ended = receipt
      .begin(receiver)
      .catch(() => {})
      .then(() => {
        this.#forget(receipt);
        if (this.#ending.get(offer.groupId) === ended) this.#ending.delete(offer.groupId);
      });
    this.#ending.set(offer.groupId, ended);
    return receipt;
  }

  /** Resolves when the group is done with its last receipt; not later than a caller's patience lasts. */
  async #ended(groupId: GroupId): Promise<void> {
    const ending = this.#ending.get(groupId);
    if (ending === undefined) return;
    const { clock, settings } = this.#local;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(settings.connectTimeoutMs, resolve);
      void ending.then(() => {
        cancel();
        resolve();
      });
    });
  }

  #makeRoom(): void {
    const { maxSnapshotReceipts } = this.#local.settings;
    if (this.#receipts.size < maxSnapshotReceipts) return;
    const waiting = [...this.#receipts.values()].find((receipt) => !receipt.isFed);
    if (waiting === undefined) {
      throw snapshotRefused(
        "SNAPSHOT_BUSY",
        `node ${this.#local.nodeId} is receiving ${maxSnapshotReceipts} snapshots (option maxSnapshotReceipts)`,
      );
    }
    this.#giveUp(waiting, "others need its place");
  }

  #giveUp(receipt: SnapshotReceipt, why: string): void {
    this.#forget(receipt);
    receipt.giveUp(
      new TransportError("TRANSPORT_PEER_UNREACHABLE", `The snapshot was given up: ${why}`, { retryable: true }),
    );
  }

  #forget(receipt: SnapshotReceipt): void {
    const { groupId } = receipt.offer;
    if (this.#receipts.get(groupId) === receipt) this.#receipts.delete(groupId);
  }
}
