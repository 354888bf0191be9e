/**
 * Which calls wait for each other: a call that a handler makes knows the calls that the handler was begun by.
 *
 * CC1. The chain of a call names every call that waits for it, the outermost first. It is bounded: a call with a longer chain is not sent.
 * CC2. All calls of one chain have one root, which is older than each of them: the message or the run that the first of them follows from. Roots are ordered, the same way on
 *      every node.
 */
import type { LogIndex } from "@raftoral/raft-core";
import { bool, message, messages, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";

/** Calls that may wait for each other in a row; another one is refused with CALL_TOO_DEEP. */
export const MAX_CALL_DEPTH = 32;

/** Links that a start of a child adds to; children of children are as deep as they like. */
const MAX_CHILD_LINKS = MAX_CALL_DEPTH / 2;

/** A call of a run's body to another run, or a child that it has started. */
export interface CallLink {
  readonly runId: string;
  /** Place of the run's start in the log: an id may be used again, and this is not. */
  readonly startIndex: LogIndex;
  /** Of the call: where the answer is recorded, or the start of the child. */
  readonly path: string;
  /** Whether it is a child, whose end the body may wait for, or not. */
  readonly isChild: boolean;
}

/** What a chain of calls began with (CC2). */
export interface CallRoot {
  /** The run whose message, or whose body, it was. */
  readonly runId: string;
  /** When, in ms since the epoch. Clocks may differ: the order is one, and says little about time. */
  readonly atMs: number;
}

/** What the calls of one part of a body follow from. */
export interface CallOrigin {
  /** The calls that wait for this part of the body, the outermost first (CC1). */
  readonly chain: readonly CallLink[];
  readonly root: CallRoot;
}

export const callLinkCodec = messageCodec<CallLink>(
  { runId: string(1), startIndex: uint(2), path: string(3), isChild: bool(4) },
  {},
);

const NO_ROOT: CallRoot = Object.freeze({ runId: "", atMs: 0 });

/** What stands for an origin that is not there. */
export const NO_ORIGIN: CallOrigin = Object.freeze({ chain: Object.freeze([]), root: NO_ROOT });

export const callOriginCodec = messageCodec<CallOrigin>(
  {
    chain: messages(1, callLinkCodec),
    root: message(2, messageCodec<CallRoot>({ runId: string(1), atMs: uint(2) }, {}), NO_ROOT),
  },
  {},
);

/** What follows from a call or a start that itself follows from `origin`. A chain of children keeps its first link and its latest ones. */
export function extended({ chain, root }: CallOrigin, link: CallLink): CallOrigin {
  const isLong = link.isChild && chain.length >= MAX_CHILD_LINKS;
  const kept = isLong ? [...chain.slice(0, 1), ...chain.slice(2 - MAX_CHILD_LINKS)] : chain;
  return { chain: [...kept, link], root };
}

/** Below 0 when `a` is the older root, above when `b` is, and 0 for one root (CC2). */
export function compareRoots(a: CallRoot, b: CallRoot): number {
  if (a.atMs !== b.atMs) return a.atMs < b.atMs ? -1 : 1;
  if (a.runId === b.runId) return 0;
  return a.runId < b.runId ? -1 : 1;
}
