/** A run whose body has called another run, and waits for the answer. */
import type { LogIndex } from "@raftoral/raft-core";
import { messages, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { type CallLink, type CallOrigin, callLinkCodec, extended } from "./call-chain.ts";
import type { Epoch } from "./ownership.ts";

/** The call of a run, as it travels with what it asks for and as it is kept until the answer. */
export interface CallingRun {
  readonly runId: string;
  /** Place of the run's start in the log: an id may be used again, and this is not. */
  readonly startIndex: LogIndex;
  /** Where the answer is recorded. */
  readonly path: string;
  /** The ownership of the run that calls. */
  readonly epoch: Epoch;
  /** The calls that wait for this one, the outermost first (call-chain.ts CC1). */
  readonly chain: readonly CallLink[];
  /** When the root of the chain began (call-chain.ts CC2). */
  readonly rootAtMs: number;
}

const NO_CHAIN: readonly never[] = Object.freeze([]);

/** What stands for a call that is not from a run. */
export const NO_CALLER: CallingRun = Object.freeze({
  runId: "",
  startIndex: 0,
  path: "",
  epoch: 0,
  chain: NO_CHAIN,
  rootAtMs: 0,
});

export const callingRunCodec = messageCodec<CallingRun>(
  {
    runId: string(1),
    startIndex: uint(2),
    path: string(3),
    epoch: uint(4),
    chain: messages(5, callLinkCodec),
    rootAtMs: uint(6),
  },
  {},
);

/** What the calls of a handler follow from that this call has begun. */
export function originOf({ runId, startIndex, path, chain, rootAtMs }: CallingRun): CallOrigin {
  const root = { runId: (chain[0] ?? { runId }).runId, atMs: rootAtMs };
  return extended({ chain, root }, { runId, startIndex, path, isChild: false });
}

/** How an update was answered that a run has called another one with. */
export type CallOutcome = "completed" | "failed";

/** Positions are the numbers of `raftoral.CallOutcome`. */
export const CALL_OUTCOMES = ["completed", "failed"] as const satisfies readonly CallOutcome[];
