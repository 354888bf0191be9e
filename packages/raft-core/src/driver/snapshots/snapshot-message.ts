/** Checks of a MsgSnap and the snapshot it announces. */
import type { Message } from "../../message.ts";
import type { Snapshot } from "../../types.ts";
import { membersOf } from "../membership/members.ts";

/** Whether the snapshot's configuration includes its receiver. The receiver refuses it otherwise (raft/snapshot.ts SN2). */
export function coversReceiver({ snapshot, to }: Message): boolean {
  return snapshot !== undefined && membersOf(snapshot.metadata.confState).includes(to);
}

/** Whether `message` announces `snapshot`. */
export function isSnapshotOf(message: Message, snapshot: Snapshot | undefined): boolean {
  const announced = message.snapshot?.metadata;
  const { metadata } = snapshot ?? {};
  return (
    announced !== undefined &&
    metadata !== undefined &&
    announced.index === metadata.index &&
    announced.term === metadata.term
  );
}
