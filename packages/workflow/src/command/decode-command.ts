/**
 * Bytes of `raftoral.WorkflowCommand` to domain commands.
 *
 * R1. Bytes that are no command, or one that this version does not know, are refused with COMMAND_INVALID, never guessed.
 * R2. Unknown fields of known commands are skipped.
 */
import { WorkflowError } from "../errors.ts";
import { OUTCOMES, OWNER_CHANGE_CAUSES, RECORD_KINDS } from "./wire-numbers.ts";
import { WireReader } from "./wire-reader.ts";
import type { RecordedError, RunOutcome, TypeVersion, WorkflowCommand } from "./workflow-command.ts";

const EMPTY: Uint8Array = new Uint8Array(0);

/** The command of these bytes, which stay the caller's. Throws COMMAND_INVALID. */
export function decodeCommand(bytes: Uint8Array): WorkflowCommand {
  const reader = new WireReader(bytes);
  let command: WorkflowCommand | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    const read = READERS[field];
    if (read === undefined) reader.skip();
    else command = read(reader.message());
  }
  if (command === undefined) {
    throw new WorkflowError(
      "COMMAND_INVALID",
      "The bytes hold no workflow command that this version knows; upgrade this node if others are newer",
    );
  }
  return command;
}

const READERS: Readonly<Record<number, ((from: WireReader) => WorkflowCommand) | undefined>> = {
  1: readStart,
  2: readEnd,
  3: readCheckpoint,
  4: readOwnerChange,
  16: readSignal,
  17: readSignalReceive,
  18: readCancel,
  19: readNodeRegister,
  20: (from) => ({ kind: "NodeLost", ...readNode(from) }),
  21: (from) => {
    const { nodeId, incarnation, atMs } = readNode(from);
    return { kind: "NodeDrain", nodeId, incarnation, atMs };
  },
  22: readPrune,
};

function readStart(from: WireReader): WorkflowCommand {
  let [runId, workflowType, version, input, owner, atMs, seed] = ["", "", 0, EMPTY, 0, 0, EMPTY];
  let [inputDigest, isPinned] = [EMPTY, false];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) workflowType = from.string();
    else if (field === 3) version = from.uint();
    else if (field === 4) input = from.bytes();
    else if (field === 5) owner = from.uint();
    else if (field === 16) atMs = from.uint();
    else if (field === 17) seed = from.bytes();
    else if (field === 18) inputDigest = from.bytes();
    else if (field === 19) isPinned = from.bool();
    else from.skip();
  }
  const digest = inputDigest.length === 0 ? {} : { inputDigest };
  const pin = isPinned ? { isPinned } : {};
  return { kind: "WorkflowStart", runId, workflowType, version, input, owner, atMs, seed, ...digest, ...pin };
}

function readEnd(from: WireReader): WorkflowCommand {
  let [runId, result, atMs, owner, epoch, outcome, reason] = ["", EMPTY, 0, 0, 0, 0, ""];
  let error: RecordedError = { name: "", message: "" };
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) result = from.bytes();
    else if (field === 16) atMs = from.uint();
    else if (field === 17) owner = from.uint();
    else if (field === 18) epoch = from.uint();
    else if (field === 19) outcome = from.uint();
    else if (field === 20) error = readRecordedError(from.message());
    else if (field === 21) reason = from.string();
    else from.skip();
  }
  const status = named(OUTCOMES, outcome, "outcome");
  const ending: RunOutcome =
    status === "completed" ? { status, result } : status === "failed" ? { status, error } : { status, reason };
  return { kind: "WorkflowEnd", runId, outcome: ending, atMs, owner, epoch };
}

function readCheckpoint(from: WireReader): WorkflowCommand {
  let runId = "";
  let path = "";
  let value = EMPTY;
  let atMs = 0;
  let owner = 0;
  let epoch = 0;
  let record = 0;
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) path = from.string();
    else if (field === 3) value = from.bytes();
    else if (field === 16) atMs = from.uint();
    else if (field === 17) owner = from.uint();
    else if (field === 18) epoch = from.uint();
    else if (field === 19) record = from.uint();
    else from.skip();
  }
  return {
    kind: "Checkpoint",
    runId,
    path,
    value,
    atMs,
    owner,
    epoch,
    recordKind: named(RECORD_KINDS, record, "record kind"),
  };
}

function readOwnerChange(from: WireReader): WorkflowCommand {
  let [runId, oldOwner, newOwner, reason, atMs, epoch] = ["", 0, 0, 0, 0, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) oldOwner = from.uint();
    else if (field === 3) newOwner = from.uint();
    else if (field === 4) reason = from.uint();
    else if (field === 16) atMs = from.uint();
    else if (field === 17) epoch = from.uint();
    else from.skip();
  }
  const cause = named(OWNER_CHANGE_CAUSES, reason, "owner change reason");
  return { kind: "OwnerChange", runId, oldOwner, newOwner, reason: cause, atMs, epoch };
}

function readSignal(from: WireReader): WorkflowCommand {
  let [runId, name, payload, signalId, atMs] = ["", "", EMPTY, "", 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) name = from.string();
    else if (field === 3) payload = from.bytes();
    else if (field === 4) signalId = from.string();
    else if (field === 5) atMs = from.uint();
    else from.skip();
  }
  return { kind: "Signal", runId, name, payload, signalId, atMs };
}

function readSignalReceive(from: WireReader): WorkflowCommand {
  let [runId, path, name, timedOut, atMs, owner, epoch] = ["", "", "", false, 0, 0, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) path = from.string();
    else if (field === 3) name = from.string();
    else if (field === 4) timedOut = from.bool();
    else if (field === 5) atMs = from.uint();
    else if (field === 6) owner = from.uint();
    else if (field === 7) epoch = from.uint();
    else from.skip();
  }
  return { kind: "SignalReceive", runId, path, name, timedOut, atMs, owner, epoch };
}

function readCancel(from: WireReader): WorkflowCommand {
  let [runId, reason, atMs] = ["", "", 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) reason = from.string();
    else if (field === 3) atMs = from.uint();
    else from.skip();
  }
  return { kind: "Cancel", runId, reason, atMs };
}

function readNodeRegister(from: WireReader): WorkflowCommand {
  let [nodeId, incarnation, atMs] = [0, "", 0];
  const types: TypeVersion[] = [];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) nodeId = from.uint();
    else if (field === 2) incarnation = from.string();
    else if (field === 3) types.push(readTypeVersion(from.message()));
    else if (field === 4) atMs = from.uint();
    else from.skip();
  }
  return { kind: "NodeRegister", nodeId, incarnation, types, atMs };
}

function readTypeVersion(from: WireReader): TypeVersion {
  let [type, version] = ["", 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) type = from.string();
    else if (field === 2) version = from.uint();
    else from.skip();
  }
  return { type, version };
}

function readNode(from: WireReader): { nodeId: number; incarnation: string; atMs: number; forget: boolean } {
  let [nodeId, incarnation, atMs, forget] = [0, "", 0, false];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) nodeId = from.uint();
    else if (field === 2) incarnation = from.string();
    else if (field === 3) atMs = from.uint();
    else if (field === 4) forget = from.bool();
    else from.skip();
  }
  return { nodeId, incarnation, atMs, forget };
}

function readPrune(from: WireReader): WorkflowCommand {
  let [finishedBeforeMs, keepAtMost, atMs] = [0, 0, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) finishedBeforeMs = from.uint();
    else if (field === 2) keepAtMost = from.uint();
    else if (field === 3) atMs = from.uint();
    else from.skip();
  }
  return { kind: "Prune", finishedBeforeMs, keepAtMost, atMs };
}

/** Deepest cause that is read. Recorded errors are less deep, so only bytes of somebody else's reach it. */
const MAX_ERROR_DEPTH = 32;

/** Reads a `raftoral.WorkflowFailure` to its end. Throws COMMAND_INVALID for causes of causes without end. */
export function readRecordedError(from: WireReader, depth = 0): RecordedError {
  if (depth > MAX_ERROR_DEPTH) {
    throw new WorkflowError("COMMAND_INVALID", `A recorded error has more than ${MAX_ERROR_DEPTH} causes. Send fewer.`);
  }
  let [name, message, code, stack] = ["", "", "", ""];
  let cause: RecordedError | undefined;
  const errors: RecordedError[] = [];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) name = from.string();
    else if (field === 2) message = from.string();
    else if (field === 3) code = from.string();
    else if (field === 4) stack = from.string();
    else if (field === 5) cause = readRecordedError(from.message(), depth + 1);
    else if (field === 6) errors.push(readRecordedError(from.message(), depth + 1));
    else from.skip();
  }
  return {
    name,
    message,
    ...(code === "" ? {} : { code }),
    ...(stack === "" ? {} : { stack }),
    ...(cause === undefined ? {} : { cause }),
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function named<T>(names: readonly T[], number: number, what: string): T {
  const name = names[number];
  if (name === undefined) throw new WorkflowError("COMMAND_INVALID", `Unknown ${what} ${number}`);
  return name;
}
