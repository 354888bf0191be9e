/** How a child run knows its parent. */
import type { LogIndex } from "@raftoral/raft-core";
import { named, string, uint } from "../wire/fields.ts";
import { messageCodec } from "../wire/message-codec.ts";
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
} as const;

export const startingParentCodec = messageCodec<StartingParent>({ ...fields, epoch: uint(5) }, {});

export const knownParentCodec = messageCodec<KnownParent>({ ...fields, family: uint(5) }, {});

/** Where the end of the child that a call at `path` started is recorded in its parent. */
export function resultPath(path: string): string {
  return `${path}/result`;
}
