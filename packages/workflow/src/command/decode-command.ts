/**
 * Bytes of `raftoral.WorkflowCommand` to domain commands.
 *
 * R1. Bytes that are no command, or one that this version does not know, are refused with COMMAND_INVALID, never guessed.
 * R2. Unknown fields of known commands are skipped.
 */
import { WorkflowError } from "../errors.ts";
import { CHECKPOINT_KINDS, OUTCOMES, OWNER_CHANGE_CAUSES } from "./wire-numbers.ts";
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
    const { nodeId, incarnation, at } = readNode(from);
    return { kind: "NodeDrain", nodeId, incarnation, at };
  },
  22: readPrune,
};

function readStart(from: WireReader): WorkflowCommand {
  let [runId, type, version, input, owner, at, seed] = ["", "", 0, EMPTY, 0, 0, EMPTY];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) type = from.string();
    else if (field === 3) version = from.uint();
    else if (field === 4) input = from.bytes();
    else if (field === 5) owner = from.uint();
    else if (field === 16) at = from.uint();
    else if (field === 17) seed = from.bytes();
    else from.skip();
  }
  return { kind: "WorkflowStart", runId, type, version, input, owner, at, seed };
}

function readEnd(from: WireReader): WorkflowCommand {
  let [runId, result, at, owner, epoch, outcome, reason] = ["", EMPTY, 0, 0, 0, 0, ""];
  let error: RecordedError = { name: "", message: "" };
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) result = from.bytes();
    else if (field === 16) at = from.uint();
    else if (field === 17) owner = from.uint();
    else if (field === 18) epoch = from.uint();
    else if (field === 19) outcome = from.uint();
    else if (field === 20) error = readRecordedError(from.message());
    else if (field === 21) reason = from.string();
    else from.skip();
  }
  const status = named(OUTCOMES, outcome, "outcome");
  const ending: RunOutcome =
    status === "Completed" ? { status, result } : status === "Failed" ? { status, error } : { status, reason };
  return { kind: "WorkflowEnd", runId, outcome: ending, at, owner, epoch };
}

function readCheckpoint(from: WireReader): WorkflowCommand {
  let runId = "";
  let key = "";
  let value = EMPTY;
  let at = 0;
  let owner = 0;
  let epoch = 0;
  let record = 0;
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) key = from.string();
    else if (field === 3) value = from.bytes();
    else if (field === 16) at = from.uint();
    else if (field === 17) owner = from.uint();
    else if (field === 18) epoch = from.uint();
    else if (field === 19) record = from.uint();
    else from.skip();
  }
  return {
    kind: "Checkpoint",
    runId,
    key,
    value,
    at,
    owner,
    epoch,
    record: named(CHECKPOINT_KINDS, record, "checkpoint kind"),
  };
}

function readOwnerChange(from: WireReader): WorkflowCommand {
  let [runId, oldOwner, newOwner, reason, at, epoch] = ["", 0, 0, 0, 0, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) oldOwner = from.uint();
    else if (field === 3) newOwner = from.uint();
    else if (field === 4) reason = from.uint();
    else if (field === 16) at = from.uint();
    else if (field === 17) epoch = from.uint();
    else from.skip();
  }
  const cause = named(OWNER_CHANGE_CAUSES, reason, "owner change reason");
  return { kind: "OwnerChange", runId, oldOwner, newOwner, reason: cause, at, epoch };
}

function readSignal(from: WireReader): WorkflowCommand {
  let [runId, name, payload, signalId, at] = ["", "", EMPTY, "", 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) name = from.string();
    else if (field === 3) payload = from.bytes();
    else if (field === 4) signalId = from.string();
    else if (field === 5) at = from.uint();
    else from.skip();
  }
  return { kind: "Signal", runId, name, payload, signalId, at };
}

function readSignalReceive(from: WireReader): WorkflowCommand {
  let [runId, key, name, timedOut, at, owner, epoch] = ["", "", "", false, 0, 0, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) key = from.string();
    else if (field === 3) name = from.string();
    else if (field === 4) timedOut = from.bool();
    else if (field === 5) at = from.uint();
    else if (field === 6) owner = from.uint();
    else if (field === 7) epoch = from.uint();
    else from.skip();
  }
  return { kind: "SignalReceive", runId, key, name, timedOut, at, owner, epoch };
}

function readCancel(from: WireReader): WorkflowCommand {
  let [runId, reason, at] = ["", "", 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) runId = from.string();
    else if (field === 2) reason = from.string();
    else if (field === 3) at = from.uint();
    else from.skip();
  }
  return { kind: "Cancel", runId, reason, at };
}

function readNodeRegister(from: WireReader): WorkflowCommand {
  let [nodeId, incarnation, at] = [0, "", 0];
  const types: TypeVersion[] = [];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) nodeId = from.uint();
    else if (field === 2) incarnation = from.string();
    else if (field === 3) types.push(readTypeVersion(from.message()));
    else if (field === 4) at = from.uint();
    else from.skip();
  }
  return { kind: "NodeRegister", nodeId, incarnation, types, at };
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

function readNode(from: WireReader): { nodeId: number; incarnation: string; at: number; forget: boolean } {
  let [nodeId, incarnation, at, forget] = [0, "", 0, false];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) nodeId = from.uint();
    else if (field === 2) incarnation = from.string();
    else if (field === 3) at = from.uint();
    else if (field === 4) forget = from.bool();
    else from.skip();
  }
  return { nodeId, incarnation, at, forget };
}

function readPrune(from: WireReader): WorkflowCommand {
  let [finishedBefore, keepAtMost, at] = [0, 0, 0];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) finishedBefore = from.uint();
    else if (field === 2) keepAtMost = from.uint();
    else if (field === 3) at = from.uint();
    else from.skip();
  }
  return { kind: "Prune", finishedBefore, keepAtMost, at };
}

/** Reads a `raftoral.WorkflowFailure` to its end. */
export function readRecordedError(from: WireReader): RecordedError {
  let [name, message, code, stack] = ["", "", "", ""];
  for (let field = from.field(); field !== 0; field = from.field()) {
    if (field === 1) name = from.string();
    else if (field === 2) message = from.string();
    else if (field === 3) code = from.string();
    else if (field === 4) stack = from.string();
    else from.skip();
  }
  return { name, message, ...(code === "" ? {} : { code }), ...(stack === "" ? {} : { stack }) };
}

function named<T>(names: readonly T[], number: number, what: string): T {
  const name = names[number];
  if (name === undefined) throw new WorkflowError("COMMAND_INVALID", `Unknown ${what} ${number}`);
  return name;
}
