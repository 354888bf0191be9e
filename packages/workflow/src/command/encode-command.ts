/**
 * Domain commands to bytes of `raftoral.WorkflowCommand`.
 *
 * W1. Fields are written in ascending order and defaults are left out: the first contract's fields alone give the first
 *     contract's bytes (`command-codec.test.ts` compares with generated code and with protoc's vectors).
 */
import { FIELD, OUTCOMES, OWNER_CHANGE_CAUSES, RECORD_KINDS } from "./wire-numbers.ts";
import { WireWriter } from "./wire-writer.ts";
import type { NodeRegister, RecordedError, WorkflowCommand, WorkflowEnd } from "./workflow-command.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

const body = new WireWriter(1024);
const frame = new WireWriter(1024);

/** Bytes of a command, owned by the caller. Throws COMMAND_INVALID for numbers that are not safe integers from 0 on. */
export function encodeCommand(command: WorkflowCommand): Uint8Array {
  body.reset();
  writeBody(command, body);
  frame.reset();
  frame.message(FIELD[command.kind], body.view());
  return frame.finish();
}

function writeBody(command: WorkflowCommand, to: WireWriter): void {
  switch (command.kind) {
    case "WorkflowStart":
      to.string(1, command.runId);
      to.string(2, command.workflowType);
      to.uint(3, command.version);
      to.bytes(4, command.input);
      to.uint(5, command.owner);
      to.uint(16, command.atMs);
      to.bytes(17, command.seed);
      to.bytes(18, command.inputDigest ?? NOTHING);
      to.bool(19, command.isPinned ?? false);
      return;
    case "WorkflowEnd":
      writeEnd(command, to);
      return;
    case "Checkpoint":
      to.string(1, command.runId);
      to.string(2, command.path);
      to.bytes(3, command.value);
      to.uint(16, command.atMs);
      to.uint(17, command.owner);
      to.uint(18, command.epoch);
      to.uint(19, RECORD_KINDS.indexOf(command.recordKind));
      return;
    case "OwnerChange":
      to.string(1, command.runId);
      to.uint(2, command.oldOwner);
      to.uint(3, command.newOwner);
      to.uint(4, OWNER_CHANGE_CAUSES.indexOf(command.reason));
      to.uint(16, command.atMs);
      to.uint(17, command.epoch);
      return;
    case "Signal":
      to.string(1, command.runId);
      to.string(2, command.name);
      to.bytes(3, command.payload);
      to.string(4, command.signalId);
      to.uint(5, command.atMs);
      return;
    case "SignalReceive":
      to.string(1, command.runId);
      to.string(2, command.path);
      to.string(3, command.name);
      to.bool(4, command.timedOut);
      to.uint(5, command.atMs);
      to.uint(6, command.owner);
      to.uint(7, command.epoch);
      return;
    case "Cancel":
      to.string(1, command.runId);
      to.string(2, command.reason);
      to.uint(3, command.atMs);
      return;
    case "NodeRegister":
      writeRegister(command, to);
      return;
    case "NodeLost":
    case "NodeDrain":
      to.uint(1, command.nodeId);
      to.string(2, command.incarnation);
      to.uint(3, command.atMs);
      if (command.kind === "NodeLost") to.bool(4, command.forget);
      return;
    case "Prune":
      to.uint(1, command.finishedBeforeMs);
      to.uint(2, command.keepAtMost);
      to.uint(3, command.atMs);
      return;
  }
}

function writeEnd(command: WorkflowEnd, to: WireWriter): void {
  const { outcome } = command;
  to.string(1, command.runId);
  if (outcome.status === "completed") to.bytes(2, outcome.result);
  to.uint(16, command.atMs);
  to.uint(17, command.owner);
  to.uint(18, command.epoch);
  to.uint(19, OUTCOMES.indexOf(outcome.status));
  if (outcome.status === "failed") to.message(20, encodeRecordedError(outcome.error));
  if (outcome.status === "cancelled") to.string(21, outcome.reason);
}

function writeRegister(command: NodeRegister, to: WireWriter): void {
  to.uint(1, command.nodeId);
  to.string(2, command.incarnation);
  for (const { type, version } of command.types) {
    const entry = new WireWriter(64);
    entry.string(1, type);
    entry.uint(2, version);
    to.message(3, entry.finish());
  }
  to.uint(4, command.atMs);
}

/** Bytes of a `raftoral.WorkflowFailure`. An absent code or stack and an empty one are the same, and so are absent errors and none. */
export function encodeRecordedError(error: RecordedError): Uint8Array {
  const to = new WireWriter(256);
  to.string(1, error.name);
  to.string(2, error.message);
  to.string(3, error.code ?? "");
  to.string(4, error.stack ?? "");
  if (error.cause !== undefined) to.message(5, encodeRecordedError(error.cause));
  for (const one of error.errors ?? []) to.message(6, encodeRecordedError(one));
  return to.finish();
}
