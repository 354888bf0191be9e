/** How a child run knows its parent. */
import type { LogIndex } from "@raftoral/raft-core";
import { message, named, optional, string, uint } from "../../wire/fields.ts";
import { messageCodec } from "../../wire/message-codec.ts";
import { type CallOrigin, callOriginCodec, extended, NO_ORIGIN } from "./call-chain.ts";
import type { Epoch } from "./ownership.ts";

/** What becomes of a child that is running when its parent ends. */
export type ParentClosePolicy = "cancel" | "abandon";

/** Positions are the numbers of `raftoral.ParentClosePolicy`. */
export const PARENT_CLOSE_POLICIES = ["cancel", "abandon"] as const satisfies readonly ParentClosePolicy[];

/** The call of a parent that a child was started by. */
export interface ParentRef {
  readonly runId: string;
  /** Place of the parent's start in the log: an id may be used again, and this is not. */
  readonly startIndex: LogIndex;
  /** The path of the call in the parent. */
  readonly path: string;
  readonly closePolicy: ParentClosePolicy;
  /** What the start follows from: the calls that wait for the part of the parent that starts the child. Absent where none does. */
  readonly origin?: CallOrigin;
}

/** A parent as it travels with the start of its child. */
export interface StartingParent extends ParentRef {
  /** The ownership of the parent that starts the child. */
  readonly epoch: Epoch;
}

/** A parent as the record of its child has it. */
export interface KnownParent extends ParentRef {
  /** Place of the start of the parent's first generation: names the parent's children over all of its generations. */
  readonly family: LogIndex;
}

/** What stands for a start without a parent. */
export const NO_PARENT: StartingParent = Object.freeze({
  runId: "",
  startIndex: 0,
  path: "",
  closePolicy: "cancel",
  epoch: 0,
});

const fields = {
  runId: string(1),
  startIndex: uint(2),
  path: string(3),
  closePolicy: named(4, PARENT_CLOSE_POLICIES, "policy of a parent's end"),
  origin: optional(message(6, callOriginCodec, NO_ORIGIN)),
} as const;

export const startingParentCodec = messageCodec<StartingParent>({ ...fields, epoch: uint(5) }, {});

export const knownParentCodec = messageCodec<KnownParent>({ ...fields, family: uint(5) }, {});

/** Where the end of the child that a call at `path` started is recorded in its parent. */
export function resultPath(path: string): string {
  return `${path}/result`;
}

/** What the calls of a child follow from; undefined where nothing waits for the parent. */
export function childOrigin(parent: ParentRef | undefined): CallOrigin | undefined {
  if (parent?.origin === undefined) return undefined;
  const { runId, startIndex, path, origin } = parent;
  return extended(origin, { runId, startIndex, path, isChild: true });
}
