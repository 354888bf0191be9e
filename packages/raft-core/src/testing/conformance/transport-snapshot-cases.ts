/** Snapshots on their own stream: complete or not at all, refused or failed with an error, never delaying messages. */

import { RaftoralError } from "../../errors.ts";
import { type Message, message } from "../../message.ts";
import type { SnapshotStream } from "../../ports/snapshot-stream.ts";
import { EMPTY_BYTES, type NodeId } from "../../types.ts";
import { assertEqual, assertRejects, assertTrue } from "../assertions.ts";
import { type DeclareTransportCase, numbered, openGroup, sendUntilReceived } from "./transport-subject.ts";

const CHUNK_BYTES = 100_000;
const CHUNKS = 120;

/** Declares the cases of snapshots. */
export function transportSnapshotCases(declare: DeclareTransportCase): void {
  declare("carries a large snapshot intact and resolves when the receiver has stored it", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    let sum = 0;
    let bytes = 0;
    let announced: Message | undefined;
    let isStored = false;
    group.receiver(2).onSnapshot = async (announcement, content) => {
      announced = announcement;
      for await (const chunk of content) {
        bytes += chunk.length;
        sum = checksum(sum, chunk);
      }
      isStored = true;
    };
    const sent = snapshotAnnouncement(1, 2);
    await group.channel(1).sendSnapshot(sent, content(CHUNKS));
    let expected = 0;
    for await (const chunk of content(CHUNKS)) expected = checksum(expected, chunk);
    assertTrue(isStored, "resolved before the receiver had it");
    assertEqual([bytes, sum], [CHUNKS * CHUNK_BYTES, expected], "bytes and their checksum");
    assertEqual(announced, sent, "the announcement");
  });

  declare("carries a snapshot without content", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    let chunks = 0;
    group.receiver(2).onSnapshot = async (_, received) => {
      for await (const chunk of received) chunks += chunk.length;
    };
    await group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), content(0));
    assertEqual(chunks, 0, "bytes received");
  });

  declare("rejects when the receiver refuses, and stops reading the content", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    group.receiver(2).onSnapshot = async () => {
      throw new Error("too old to be wanted");
    };
    const source = tracked(content(100_000));
    const error = await assertRejects(
      group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), source),
      "a refused snapshot",
    );
    assertEqual(codeOf(error), "TRANSPORT_SNAPSHOT_REJECTED", "code");
    assertTrue(error.message.includes("too old to be wanted"), `the reason is not in: ${error.message}`);
    assertTrue(source.isReleased(), "the content was not released");
  });

  declare("rejects when the receiver cannot store it half-way", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    group.receiver(2).onSnapshot = async (_, received) => {
      let chunks = 0;
      for await (const chunk of received) {
        chunks += chunk.length;
        if (chunks > 5 * CHUNK_BYTES) throw new Error("no space left");
      }
    };
    const source = tracked(content(100_000));
    const error = await assertRejects(
      group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), source),
      "a failed store",
    );
    assertEqual(codeOf(error), "TRANSPORT_SNAPSHOT_REJECTED", "code");
    assertTrue(source.isReleased(), "the content was not released");
  });

  declare("passes on the sender's own failure, and the receiver does not take it for the end", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    let received = "nothing";
    const begun = Promise.withResolvers<void>();
    group.receiver(2).onSnapshot = async (_, chunks) => {
      try {
        for await (const _chunk of chunks) begun.resolve();
        received = "a regular end";
      } catch (error) {
        received = "a failure";
        group.receiver(2).changed();
        throw error;
      }
    };
    const failing = async function* () {
      yield* content(3);
      await begun.promise;
      throw new Error("the disk of the sender is gone");
    };
    const error = await assertRejects(
      group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), failing()),
      "a failed sender",
    );
    assertEqual(error.message, "the disk of the sender is gone", "the sender's error");
    await group.receiver(2).until(() => received === "a failure", `the receiver's failure (it saw ${received})`);
  });

  declare("does not hold up messages while a receiver is slow", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    group.receiver(2).onSnapshot = async (_, received) => {
      begun.resolve();
      await gate.promise;
      for await (const chunk of received) assertTrue(chunk.length > 0, "an empty chunk");
    };
    const transfer = group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), content(CHUNKS));
    await begun.promise;
    for (let round = 1; round <= 20; round++) {
      group.channel(1).send([numbered(1, 2, round)]);
      group.channel(2).send([numbered(2, 1, round)]);
      await group.receiver(2).untilNumber(1, round);
      await group.receiver(1).untilNumber(2, round);
    }
    gate.resolve();
    await transfer;
  });

  declare("rejects for a peer that is unknown, down, or has no such group", async (subject) => {
    const group = openGroup(subject, [1, 3]);
    const unknown = await assertRejects(
      group.channel(1).sendSnapshot(snapshotAnnouncement(1, 99), content(1)),
      "unknown peer",
    );
    assertEqual(codeOf(unknown), "TRANSPORT_PEER_UNREACHABLE", "code for an unknown peer");
    const closed = await assertRejects(
      group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), content(1)),
      "unknown group",
    );
    assertEqual(codeOf(closed), "TRANSPORT_SNAPSHOT_REJECTED", "code for an unknown group");
    await subject.takeDown(3);
    const down = await assertRejects(
      group.channel(1).sendSnapshot(snapshotAnnouncement(1, 3), content(1)),
      "a peer that is down",
    );
    assertEqual(codeOf(down), "TRANSPORT_PEER_UNREACHABLE", "code for a peer that is down");
  });

  declare("tells the receiver how much there will be, where that is known", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    let announced: number | undefined;
    group.receiver(2).onSnapshot = async (_, received) => {
      announced = received.totalBytes;
      for await (const chunk of received) assertTrue(chunk.length > 0, "an empty chunk");
    };
    await group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), fixedContent(new Uint8Array(CHUNK_BYTES).fill(7)));
    assertEqual(announced, CHUNK_BYTES, "bytes announced");
  });

  declare("takes a snapshot that a member sends in the leader's name", async (subject) => {
    const group = openGroup(subject, [1, 2, 3]);
    let announced: Message | undefined;
    group.receiver(3).onSnapshot = async (announcement, received) => {
      announced = announcement;
      for await (const chunk of received) assertTrue(chunk.length > 0, "an empty chunk");
    };
    await group.channel(2).sendSnapshot(snapshotAnnouncement(1, 3), content(2));
    assertEqual([announced?.from, announced?.to], [1, 3], "the leader and the receiver");
  });

  declare("asks a member to send, resolves when it has, and rejects when it does not", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    const delegate = group.channel(1).delegateSnapshot?.bind(group.channel(1));
    // A transport need not have this method. Leaders then send snapshots themselves.
    if (delegate === undefined) return;
    const asked = snapshotAnnouncement(1, 3);
    let heard: unknown;
    group.receiver(2).onDelegation = async (announcement, minIndex) => {
      heard = [announcement, minIndex];
    };
    await delegate(2, asked, 41);
    assertEqual(heard, [asked, 41], "what the member was asked");
    group.receiver(2).onDelegation = async () => {
      throw new Error("it has none that is new enough");
    };
    const refused = await assertRejects(delegate(2, asked, 41), "a member that refuses");
    assertEqual(codeOf(refused), "TRANSPORT_SNAPSHOT_REJECTED", "code");
    assertTrue(refused.message.includes("new enough"), `the reason is not in: ${refused.message}`);
    await subject.takeDown(2);
    const down = await assertRejects(delegate(2, asked, 41), "a member that is down");
    assertEqual(codeOf(down), "TRANSPORT_PEER_UNREACHABLE", "code for a member that is down");
  });

  declare("rejects on both sides when the peer dies half-way, and works again afterwards", async (subject) => {
    const group = openGroup(subject, [1, 2]);
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<string>();
    group.receiver(2).onSnapshot = async (_, received) => {
      try {
        for await (const _chunk of received) begun.resolve();
        ended.resolve("a regular end");
      } catch (error) {
        ended.resolve("a failure");
        throw error;
      }
    };
    const transfer = assertRejects(
      group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), content(100_000)),
      "a snapshot to a peer that died",
    );
    await begun.promise;
    await subject.takeDown(2);
    await transfer;
    assertEqual(await ended.promise, "a failure", "what the receiver saw");
    await subject.bringUp(2);
    await sendUntilReceived(group.channel(1), group.receiver(2), numbered(1, 2, 1));
    await group.channel(1).sendSnapshot(snapshotAnnouncement(1, 2), content(3));
  });
}

/** A MsgSnap with a snapshot at index 50. */
export function snapshotAnnouncement(from: NodeId, to: NodeId): Message {
  const confState = { voters: [1, 2], learners: [3], votersOutgoing: [], learnersNext: [], autoLeave: false };
  const snapshot = { metadata: { confState, index: 50, term: 4 }, data: EMPTY_BYTES };
  return message({ type: "MsgSnap", from, to, term: 5, snapshot });
}

/** Fixed content: with its size and checksum. */
export function fixedContent(bytes: Uint8Array): SnapshotStream {
  const from = async function* (offset: number): AsyncGenerator<Uint8Array> {
    for (let at = offset; at < bytes.length; at += CHUNK_BYTES) yield bytes.slice(at, at + CHUNK_BYTES);
  };
  const fixed = { totalBytes: bytes.length, crc32: crc32Of(bytes), from };
  return { fixed, [Symbol.asyncIterator]: () => from(0) };
}

/** CRC-32 bit by bit: fast enough for a few hundred kilobytes, and independent of the code under test. */
function crc32Of(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : 0xedb88320);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

async function* content(chunks: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < chunks; i++) {
    const chunk = new Uint8Array(CHUNK_BYTES).fill(i & 0xff);
    chunk[0] = i >> 8;
    yield chunk;
  }
}

/** Content that tells whether it is released: its reading was never begun, or its reader has finished or stopped. */
function tracked(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> & { isReleased(): boolean } {
  let isOpen = false;
  const read = async function* () {
    isOpen = true;
    try {
      yield* source;
    } finally {
      isOpen = false;
    }
  };
  return { [Symbol.asyncIterator]: read, isReleased: () => !isOpen };
}

function checksum(sum: number, chunk: Uint8Array): number {
  let result = sum;
  for (const byte of chunk) result = (Math.imul(result, 31) + byte) | 0;
  return result;
}

function codeOf(error: Error): string {
  return error instanceof RaftoralError ? error.code : `no RaftoralError: ${error.name} ${error.message}`;
}
