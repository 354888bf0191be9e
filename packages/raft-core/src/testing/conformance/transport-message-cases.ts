/** Messages on a network that works: order, frames, groups, senders, bounds. */
import { LOCAL_APPEND_THREAD, message } from "../../message.ts";
import { assertEqual, assertTrue } from "../assertions.ts";
import {
  type DeclareTransportCase,
  numbered,
  openGroup,
  RecordingReceiver,
  sendUntilReceived,
} from "./transport-subject.ts";

const MEBIBYTE = 1024 * 1024;

/** Declares the cases of messages. */
export function transportMessageCases(declare: DeclareTransportCase): void {
  declare("delivers messages of one type to a peer in the order they were sent", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    const expected: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      for (let i = 1; i <= 25; i++) {
        expected.push(turn * 25 + i);
        group.channel(1).send([numbered(1, 2, turn * 25 + i)]);
      }
      await group.receiver(2).untilNumber(1, turn * 25 + 1);
    }
    await group.receiver(2).untilNumber(1, 500);
    assertEqual(group.receiver(2).numbers(1), expected, "numbers as they arrived");
  });

  declare("sends the messages of one turn to one peer in one frame", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 1));
    const before = group.receiver(2).frames.length;
    group.channel(1).send([numbered(1, 2, 10), numbered(1, 2, 11)]);
    group.channel(1).send([numbered(1, 2, 12)]);
    assertEqual(group.receiver(2).frames.length, before, "frames received inside send");
    await group.receiver(2).untilNumber(1, 12);
    // The first message may have been sent more than once, and its last repetition may share the frame.
    const numbers = group
      .receiver(2)
      .frames.map(({ messages }) => messages.map((m) => m.commit).filter((n) => n >= 10));
    assertEqual(
      numbers.filter((ofFrame) => ofFrame.length > 0),
      [[10, 11, 12]],
      "frames",
    );
  });

  declare("carries every field of a message", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    const sent = message({
      type: "MsgApp",
      from: 1,
      to: 2,
      term: 7,
      logTerm: 6,
      index: 2 ** 40,
      commit: 41,
      context: new Uint8Array([1, 2, 3]),
      entries: [
        { term: 7, index: 2 ** 40 + 1, type: "EntryNormal", data: new Uint8Array([9, 8, 7]) },
        {
          term: 7,
          index: 2 ** 40 + 2,
          type: "EntryConfChangeV2",
          data: new Uint8Array([1]),
          context: new Uint8Array([5]),
        },
      ],
    });
    const rejection = message({
      type: "MsgAppResp",
      from: 1,
      to: 2,
      term: 7,
      reject: true,
      rejectHint: 12,
      commit: 42,
    });
    group.channel(1).send([sent, rejection]);
    await group.receiver(2).untilNumber(1, 41);
    await group.receiver(2).untilNumber(1, 42);
    // Messages of different types may overtake each other.
    const byCommit = [...group.receiver(2).messages].sort((a, b) => a.commit - b.commit);
    assertEqual(byCommit, [sent, rejection], "messages");
  });

  declare("names the sender, also when both send to one node at once", async (subject) => {
    const group = openGroup(subject, [1, 2, 3]);
    group.channel(1).send([numbered(1, 3, 100), numbered(1, 2, 101)]);
    group.channel(2).send([numbered(2, 3, 200)]);
    await group.receiver(3).untilNumber(1, 100);
    await group.receiver(3).untilNumber(2, 200);
    await group.receiver(2).untilNumber(1, 101);
    assertEqual([group.receiver(3).numbers(1), group.receiver(3).numbers(2)], [[100], [200]], "numbers by sender");
  });

  declare("carries both directions at once", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    group.channel(1).send([numbered(1, 2, 1)]);
    group.channel(2).send([numbered(2, 1, 2)]);
    await group.receiver(2).untilNumber(1, 1);
    await group.receiver(1).untilNumber(2, 2);
  });

  declare("keeps many groups apart on one transport", async (subject) => {
    const groups = Array.from({ length: 50 }, (_, i) => ({ groupId: i + 1, group: openGroup(subject, [1, 2], i + 1) }));
    for (const { groupId, group } of groups) group.channel(1).send([numbered(1, 2, groupId)]);
    for (const { groupId, group } of groups) {
      await group.receiver(2).untilNumber(1, groupId);
      assertEqual(group.receiver(2).numbers(1), [groupId], `numbers of group ${groupId}`);
    }
  });

  declare(
    "drops messages for peers it does not know, itself and local targets, and carries the rest",
    async (subject) => {
      const group = openGroup(subject, [1, 2]);
      group
        .channel(1)
        .send([numbered(1, 99, 1), numbered(1, 1, 2), numbered(1, LOCAL_APPEND_THREAD, 3), numbered(1, 2, 4)]);
      await group.receiver(2).untilNumber(1, 4);
      assertEqual(group.receiver(2).numbers(1), [4], "numbers at the known peer");
      assertEqual(group.receiver(1).frames.length, 0, "frames at the sender");
    },
  );

  declare("drops messages for a group that is not open at the peer", async (subject) => {
    const only1 = subject.peer(1).open(7, new RecordingReceiver());
    const group = openGroup(subject, [1, 2]);
    only1.send([numbered(1, 2, 70)]);
    group.channel(1).send([numbered(1, 2, 10)]);
    await group.receiver(2).untilNumber(1, 10);
    assertEqual(group.receiver(2).numbers(1), [10], "numbers at the other group");
  });

  declare(
    "stops receiving when the channel is closed, and receives again when the group is opened again",
    async (subject) => {
      const group = openGroup(subject, [1, 2, 3]);
      await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 1));
      group.channel(2).close();
      group.channel(2).close();
      const before = group.receiver(2).frames.length;
      group.channel(2).send([numbered(2, 3, 5)]);
      group.channel(1).send([numbered(1, 2, 2)]);
      const again = openGroup(subject, [2], 2);
      const sender = subject.peer(1).open(2, new RecordingReceiver());
      await sendUntilReceived(sender, again.receiver(2), numbered(1, 2, 3));
      assertEqual(group.receiver(2).frames.length, before, "frames after close");
      assertEqual(group.receiver(3).numbers(2), [], "messages sent after close");
      const reopened = openGroup(subject, [2]);
      await sendUntilReceived(group.channel(1), reopened.receiver(2), numbered(1, 2, 4));
    },
  );

  declare("carries a message of several megabytes", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    const data = new Uint8Array(3 * MEBIBYTE);
    for (let i = 0; i < data.length; i++) data[i] = (i * 31 + (i >> 11)) & 0xff;
    const entries = [{ term: 1, index: 1, type: "EntryNormal" as const, data }];
    group
      .channel(1)
      .send([message({ type: "MsgApp", from: 1, to: 2, term: 1, commit: 1, entries }), numbered(1, 2, 2)]);
    await group.receiver(2).untilNumber(1, 1);
    await group.receiver(2).untilNumber(1, 2);
    const appended = group.receiver(2).messages.find((each) => each.type === "MsgApp");
    const received = appended?.entries[0]?.data ?? new Uint8Array(0);
    assertEqual(received.length, data.length, "bytes received");
    assertTrue(
      data.every((byte, i) => received[i] === byte),
      "the content differs",
    );
  });

  declare("drops what does not fit its queue instead of growing, and goes on", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 1));
    const sent = subject.maxQueuedMessages * 3;
    for (let i = 0; i < sent; i++) group.channel(1).send([numbered(1, 2, 10 + i)]);
    await group.receiver(2).untilNumber(1, 10);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 5));
    const arrived = group
      .receiver(2)
      .numbers(1)
      .filter((number) => number >= 10).length;
    assertTrue(
      arrived >= subject.maxQueuedMessages / 2 && arrived <= subject.maxQueuedMessages,
      `${arrived} of ${sent} messages arrived; the bound is ${subject.maxQueuedMessages}`,
    );
  });
}
