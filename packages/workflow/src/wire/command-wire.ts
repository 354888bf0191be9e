/** Readers and writers of this package's messages: what cannot be read or written is refused with COMMAND_INVALID. */
import { WireReader, WireWriter } from "@raftoral/raft-core/wire";
import { WorkflowError } from "../errors.ts";

/** A reader of `[start, end)` of `bytes`. What it gives is its own, but for views that are asked for. */
export function readerOf(bytes: Uint8Array, start = 0, end: number = bytes.length): WireReader {
  return new WireReader(bytes, unreadable, start, end);
}

/** A writer whose buffer has `initialBytes` at first. */
export function writerOf(initialBytes: number): WireWriter {
  return new WireWriter(initialBytes, unwritable);
}

function unreadable(what: string, cause?: unknown): WorkflowError {
  return new WorkflowError("COMMAND_INVALID", `Not a workflow command: ${what}`, { cause });
}

function unwritable(value: number): WorkflowError {
  return new WorkflowError(
    "COMMAND_INVALID",
    `${value} is not a whole number from 0 to 2^53-1. Give a number in that range.`,
  );
}
