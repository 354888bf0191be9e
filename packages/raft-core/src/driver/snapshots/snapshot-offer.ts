/**
 * Answers the core's wish to send a snapshot (MsgSnap): finds or makes one that its receiver can take, and streams it.
 *
 * Where the executor's state is durable by itself, the stored snapshot has no state, and one of the state as it is now is captured. It is
 * newer than the one the core thinks of, which does no harm: the receiver acknowledges what it has, and replication goes on from there
 * once that is no further back than the leader's log reaches (Progress leaves StateSnapshot then).
 */
import type { Message } from "../../message.ts";
import type { GroupChannel } from "../../ports/peer-transport.ts";
import { coversReceiver } from "./snapshot-message.ts";
import type { SnapshotOffer, Snapshotter } from "./snapshotter.ts";

/** What an offer needs of its group. */
export interface SnapshotOfferHost {
  readonly snapshotter: Pick<Snapshotter, "stored" | "capture" | "send">;
  /** Runs a step between two batches; rejects when the node stops first. */
  exclusively(run: () => Promise<void>): Promise<void>;
  /** Takes a snapshot now. */
  retake(): Promise<unknown>;
}

/** Resolves to whether the receiver has it, for the core to be told. */
export async function offerSnapshot(
  host: SnapshotOfferHost,
  channel: GroupChannel,
  message: Message,
): Promise<"finish" | "failure"> {
  const { snapshotter } = host;
  const offer = snapshotter.stored(message) ?? (await captured(host, message));
  if (offer === undefined) return "failure";
  if (coversReceiver(offer.message)) return await snapshotter.send(channel, offer);
  // Older than its receiver's membership: a new one is taken, and the core asks again. Whether that succeeds does not matter here: another
  // that is being written is as good, and a failed write stops the node by itself.
  await offer.content[Symbol.asyncIterator]().return?.();
  await host.retake().catch(() => {});
  return "failure";
}

async function captured(host: SnapshotOfferHost, message: Message): Promise<SnapshotOffer | undefined> {
  let offer: SnapshotOffer | undefined;
  const done = host.exclusively(async () => {
    offer = host.snapshotter.capture(message);
  });
  await done.catch(() => {});
  return offer;
}
