/** Peers that stop, come back, get another address, or are removed from the transport or from their groups. */
import { assertEqual, assertRejects } from "../assertions.ts";
import { fixedContent, snapshotAnnouncement } from "./transport-snapshot-cases.ts";
import { type DeclareTransportCase, numbered, openGroup, sendUntilReceived } from "./transport-subject.ts";

/** Declares the cases of outages. */
export function transportOutageCases(declare: DeclareTransportCase): void {
  declare("reports an outage once, delivers after the peer is back, and reports the next outage", async (subject) => {
    const group = openGroup(subject, [1, 2, 3]);
    const sender = group.receiver(1);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 1));
    for (const outage of [1, 2]) {
      await subject.takeDown(2);
      // Messages to node 3 arrive meanwhile; the case counts time by them.
      for (let round = 1; round <= 20 || sender.unreachables.length < outage; round++) {
        group.channel(1).send([numbered(1, 2, 1000), numbered(1, 3, outage * 10_000 + round)]);
        await group.receiver(3).untilNumber(1, outage * 10_000 + round);
      }
      assertEqual(sender.unreachables, new Array(outage).fill(2), `reports in outage ${outage}`);
      await subject.bringUp(2);
      await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 1 + outage));
      assertEqual(sender.unreachables, new Array(outage).fill(2), `reports after outage ${outage}`);
    }
  });

  declare("reports a peer that is down from the start, and reaches it once it is up", async (subject) => {
    await subject.takeDown(2);
    const group = openGroup(subject, [1, 2]);
    group.channel(1).send([numbered(1, 2, 1)]);
    await group.receiver(1).until(() => group.receiver(1).unreachables.length > 0, "a report that node 2 is down");
    await subject.bringUp(2);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 2));
    assertEqual(group.receiver(1).unreachables, [2], "reports");
  });

  declare("reports an outage to every group that sends to the peer", async (subject) => {
    await subject.takeDown(2);
    const first = openGroup(subject, [1], 1);
    const second = openGroup(subject, [1], 2);
    first.channel(1).send([numbered(1, 2, 1)]);
    await first.receiver(1).until(() => first.receiver(1).unreachables.length > 0, "a report to group 1");
    second.channel(1).send([numbered(1, 2, 1)]);
    await second.receiver(1).until(() => second.receiver(1).unreachables.length > 0, "a report to group 2");
    assertEqual([first.receiver(1).unreachables, second.receiver(1).unreachables], [[2], [2]], "reports");
  });

  declare("finds a peer that moved once it is told where", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 1));
    const address = await subject.move(2);
    subject.peer(1).setPeer(2, address);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 2));
  });

  declare("sends nothing to a peer that was removed, until it is set again", async (subject) => {
    const group = openGroup(subject, [1, 2, 3]);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 1));
    const address = await subject.move(2);
    subject.peer(1).removePeer(2);
    subject.peer(1).removePeer(2);
    subject.peer(1).removePeer(99);
    for (let round = 1; round <= 10; round++) {
      group.channel(1).send([numbered(1, 2, 1000), numbered(1, 3, round)]);
      await group.receiver(3).untilNumber(1, round);
    }
    assertEqual(group.receiver(2).numbers(1).includes(1000), false, "delivery to a removed peer");
    subject.peer(1).setPeer(2, address);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 3));
    assertEqual(group.receiver(1).unreachables.length <= 1, true, "at most the move itself was an outage");
  });

  declare("tells a peer that it was removed, and takes no messages of it any more", async (subject) => {
    const peer = subject.peer(2);
    // A transport need not have this method. Removed nodes then learn of their removal from their log, if at all.
    if (peer.membersChanged === undefined) return;
    const group = openGroup(subject, [1, 2, 3]);
    const other = openGroup(subject, [1, 2], 2);
    const told = group.receiver(1).removals;
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 1));
    group.receiver(2).removedPeers.add(1);
    peer.membersChanged();
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 2));
    assertEqual(told, [], "told of one group while another has the peer as a member");
    other.receiver(2).removedPeers.add(1);
    peer.membersChanged();
    await group.receiver(1).until(() => told.length > 0, "word of the removal");
    assertEqual([...new Set(told)], [2], "the peers that told");
    for (let round = 1; round <= 10; round++) {
      group.channel(1).send([numbered(1, 2, 1000), numbered(1, 3, round)]);
      await group.receiver(3).untilNumber(1, round);
    }
    assertEqual(group.receiver(2).numbers(1).includes(1000), false, "delivery from a removed peer");
    group.receiver(2).onSnapshot = async (_, received) => {
      for await (const chunk of received) assertEqual(chunk.length > 0, true, "an empty chunk");
    };
    await assertRejects(
      group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(new Uint8Array(10))),
      "a snapshot from a removed peer",
    );
  });
}
