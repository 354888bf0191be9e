/**
 * Carries out the core's request to send a snapshot (MsgSnap): finds or makes a snapshot that its receiver can take, and streams it.
 *
 * With an executor whose state is durable by itself, the stored snapshot has no state, and a snapshot of the present state is captured instead. It is
 * newer than the one that the core named, which does no harm: the receiver acknowledges the newer index, and replication continues from there
 * if the leader's log has the entries that follow (Progress leaves StateSnapshot then).
 */
import type { Message } from "../../message.ts";
import type { GroupChannel } from "../../ports/peer-transport.ts";
import { coversReceiver } from "./snapshot-message.ts";
import type { SnapshotOffer, Snapshotter } from "./snapshotter.ts";

/** The parts of the group that an offer uses. */
export interface SnapshotOfferHost {
  readonly snapshotter: Pick<Snapshotter, "stored" | "capture" | "send">;
  /** Runs a step between two batches. Rejects when the node stops first. */
  exclusively(run: () => Promise<void>): Promise<void>;
  /** Takes a snapshot now. */
  retake(): Promise<unknown>;
}

/** Sends a snapshot and resolves with the outcome for the core: "finish" when the receiver has it. Does not reject. */
export async function offerSnapshot(
  host: SnapshotOfferHost,
  channel: GroupChannel,
  message: Message,
): Promise<"finish" | "failure"> {
  const { snapshotter } = host;
  const offer = snapshotter.stored(message) ?? (await captured(host, message));
  if (offer === undefined) return "failure";
  if (coversReceiver(offer.message)) return await snapshotter.send(channel, offer);
  // The snapshot is older than its receiver's membership. A new one is taken, and the core asks again. The outcome of taking it does not matter
  // here: another snapshot that is being written also helps, and a failed write stops the node by itself.
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
