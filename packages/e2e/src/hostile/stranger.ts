/**
 * What a broken program, a stranger or a network that repeats itself may send to a node: chosen by a seed.
 *
 * What it leaves out is what Raft cannot stand from anybody: a message that is what a leader or a member of the current term could
 * have sent, and is not theirs. Where TLS is on, only a holder of the cluster's certificates can send one (docs/operations.md).
 *
 * ST1. A message in the name of a leader, or of a member's vote or acknowledgement, is of an earlier term, or of no node, or real.
 */
import type { NodeId, Rng, Term } from "@raftoral/raft-core";
import { type Entry, type Message, type MessageType, message } from "@raftoral/raft-core/core";
import { damaged, EDIT_KINDS } from "@raftoral/raft-core/testing";
import { decodePeerMessage, encodeMessage } from "@raftoral/raft-core/transport";
import { encodeRaftMessage } from "@raftoral/transport-grpc";
import { framed } from "./raw-caller.ts";

const STRANGERS: readonly NodeId[] = [0, 77, 2 ** 31, Number.MAX_SAFE_INTEGER];
const LEADERS: readonly MessageType[] = ["MsgApp", "MsgHeartbeat", "MsgSnap"];
const ANSWERS: readonly MessageType[] = [
  "MsgAppResp",
  "MsgVoteResp",
  "MsgPreVoteResp",
  "MsgHeartbeatResp",
  "MsgReadIndexResp",
];
const LOCAL: readonly MessageType[] = ["MsgHup", "MsgBeat", "MsgUnreachable", "MsgSnapStatus", "MsgCheckQuorum"];
const REQUESTS: readonly MessageType[] = ["MsgVote", "MsgPreVote"];
const ANY_TIME: readonly MessageType[] = [...LEADERS, ...ANSWERS, ...LOCAL, ...REQUESTS, "MsgTimeoutNow"];
const HUGE = [2 ** 31, 2 ** 32, 2 ** 52, 2 ** 53 - 1];
const BAD_BYTES: readonly Uint8Array[] = [
  new Uint8Array(0),
  Uint8Array.of(0xff, 0xff),
  new TextEncoder().encode("two\nlines"),
  new Uint8Array(3000).fill(0xfe),
];

/** What the stranger knows of the node that it sends to. */
export interface Target {
  readonly nodeId: NodeId;
  readonly term: Term;
  readonly lastIndex: number;
}

/** Makes hostile messages for the nodes of one cluster (ST1). */
export class Stranger {
  readonly #rng: Rng;
  /** Real messages of this cluster, by addressee. */
  readonly #heard: readonly { readonly to: NodeId; readonly bytes: Uint8Array }[];

  constructor(rng: Rng, heard: readonly { readonly to: NodeId; readonly bytes: Uint8Array }[]) {
    this.#rng = rng;
    this.#heard = heard;
  }

  /** The body of a request to `target`. */
  request(target: Target): Uint8Array {
    const kind = this.#rng.below(20);
    if (kind === 0) return this.#noise(40);
    if (kind === 1) return framed(this.#noise(60));
    if (kind === 2) return this.#damage(framed(encodeRaftMessage({ raftMessage: this.#stale(target) })));
    if (kind === 3) return framed(encodeRaftMessage({ command: this.#pick(BAD_BYTES.slice(1)) }));
    if (kind === 4) return framed(encodeRaftMessage({ raftMessage: this.#noise(80) }));
    return framed(encodeRaftMessage({ raftMessage: this.#message(kind, target) }));
  }

  #message(kind: number, target: Target): Uint8Array {
    if (kind < 9) return this.#replay(target);
    if (kind < 12) return this.#damagedReplay(target);
    if (kind < 15) return this.#stale(target);
    if (kind < 17) return this.#proposal(target);
    return this.#current(target);
  }

  /** Of a term that is over, in anybody's name; of a kind that never leaves its node; or of a term that no group reaches. */
  #stale(target: Target): Uint8Array {
    const type = this.#pick(ANY_TIME);
    const isBeyond = this.#rng.below(6) === 0;
    const term = isBeyond ? target.term + 2 ** 33 : this.#rng.below(Math.max(1, target.term));
    return encodeMessage(this.#fields(target, type, term, this.#anybody()));
  }

  /** Of the term that is, or of the next ones: what the receiver is free to refuse. */
  #current(target: Target): Uint8Array {
    const term = target.term + this.#rng.below(3);
    const choice = this.#rng.below(120);
    if (choice < 8) return encodeMessage(this.#fields(target, this.#pick(REQUESTS), term, this.#anybody()));
    if (choice < 90)
      return encodeMessage(this.#fields(target, this.#pick(ANSWERS), target.term, this.#pick(STRANGERS)));
    // In the target's own name, and in no other node's.
    if (choice < 119) return encodeMessage(this.#fields(target, this.#pick(ANSWERS), term, target.nodeId));
    // Elections that anybody may start, now and then.
    const type = this.#pick(["MsgTimeoutNow", "MsgTransferLeader"] as const);
    return encodeMessage(message({ type, from: 1 + this.#rng.below(3), to: target.nodeId, term: target.term }));
  }

  /** Entries that no node could read, some hundreds at times; reads with anything for their context. */
  #proposal(target: Target): Uint8Array {
    const isRead = this.#rng.below(4) === 0;
    const count = isRead ? 1 : this.#rng.below(10) === 0 ? 500 : 1 + this.#rng.below(3);
    const entries = Array.from({ length: count }, () => (isRead ? this.#entry("EntryNormal") : this.#unreadable()));
    const type = isRead ? "MsgReadIndex" : "MsgProp";
    return encodeMessage(message({ type, from: this.#anybody(), to: target.nodeId, entries }));
  }

  #unreadable(): Entry {
    const type = this.#pick(["EntryNormal", "EntryConfChange", "EntryConfChangeV2"] as const);
    const entry = { ...this.#entry(type), data: this.#pick(BAD_BYTES.slice(1)) };
    return this.#rng.below(2) === 0 ? entry : { ...entry, context: Uint8Array.of(1, 0xff) };
  }

  #entry(type: Entry["type"]): Entry {
    return { type, term: this.#number(5), index: this.#number(50), data: this.#pick(BAD_BYTES) };
  }

  #replay({ nodeId }: Target): Uint8Array {
    const mine = this.#heard.filter(({ to }) => to === nodeId);
    return mine.length === 0 ? this.#noise(30) : this.#pick(mine).bytes;
  }

  /** Bytes that changed on the way, as long as they do not make another message that could be real (ST1). */
  #damagedReplay(target: Target): Uint8Array {
    const bytes = this.#damage(this.#replay(target));
    try {
      const { term, to } = decodePeerMessage(bytes);
      const isOver = term > 0 && term < target.term;
      return isOver || to !== target.nodeId ? bytes : this.#noise(30);
    } catch {
      return bytes;
    }
  }

  #fields({ nodeId, lastIndex }: Target, type: MessageType, term: Term, from: NodeId): Message {
    const entries = Array.from({ length: this.#rng.below(4) }, () => this.#entry("EntryNormal"));
    const metadata = {
      index: this.#number(lastIndex + 5),
      term,
      confState: { voters: [1, 2, 3], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false },
    };
    return message({
      type,
      from,
      to: this.#rng.below(20) === 0 ? this.#anybody() : nodeId,
      term,
      logTerm: this.#number(4),
      index: this.#number(lastIndex + 5),
      commit: this.#number(lastIndex + 5),
      entries,
      reject: this.#rng.below(2) === 0,
      rejectHint: this.#number(lastIndex + 5),
      ...(type === "MsgSnap" ? { snapshot: { metadata, data: this.#pick(BAD_BYTES) } } : {}),
    });
  }

  #anybody(): NodeId {
    return this.#rng.below(3) === 0 ? this.#pick(STRANGERS) : 1 + this.#rng.below(3);
  }

  #number(near: number): number {
    return this.#rng.below(8) === 0 ? this.#pick(HUGE) : this.#rng.below(near + 1);
  }

  #damage(bytes: Uint8Array): Uint8Array {
    const edits = Array.from({ length: 1 + this.#rng.below(3) }, () => ({
      kind: this.#pick(EDIT_KINDS),
      at: this.#rng.below(2 ** 31),
      value: this.#rng.below(2 ** 31),
    }));
    return damaged(bytes, edits);
  }

  #noise(maxBytes: number): Uint8Array {
    return Uint8Array.from({ length: 1 + this.#rng.below(maxBytes) }, () => this.#rng.below(256));
  }

  #pick<Value>(values: readonly Value[]): Value {
    return values[this.#rng.below(values.length)] as Value;
  }
}
