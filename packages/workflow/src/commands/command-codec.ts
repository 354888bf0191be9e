/**
 * Commands to bytes of `raftoral.WorkflowCommand` and back.
 *
 * CC1. The first contract's fields alone give the first contract's bytes (`command-codec.test.ts` compares with generated code and with protoc's
 *      vectors).
 * CC2. Bytes that are no command, or one that this version does not know, are refused with COMMAND_INVALID, never guessed.
 * CC3. Unknown fields of known commands are skipped.
 */

import { WorkflowError } from "../errors.ts";
import { readerOf, writerOf } from "../wire/command-wire.ts";
import { definitionAt, definitionOf, type WorkflowCommand } from "./registry.ts";

const body = writerOf(1024);
const frame = writerOf(1024);

/** Bytes of a command, owned by the caller. Throws COMMAND_INVALID for numbers that are not safe integers from 0 on. */
export function encodeCommand(command: WorkflowCommand): Uint8Array {
  const { field, codec } = definitionOf(command.kind);
  body.reset();
  codec.write(body, command);
  frame.reset();
  frame.message(field, body.view());
  return frame.finish();
}

/** The command of these bytes, which stay the caller's. Throws COMMAND_INVALID. */
export function decodeCommand(bytes: Uint8Array): WorkflowCommand {
  const from = readerOf(bytes);
  let command: WorkflowCommand | undefined;
  for (let field = from.field(); field !== 0; field = from.field()) {
    const definition = definitionAt(field);
    if (definition === undefined) from.skip();
    else command = definition.codec.read(from.message());
  }
  if (command === undefined) {
    throw new WorkflowError(
      "COMMAND_INVALID",
      "The bytes hold no workflow command that this version knows. Upgrade this node if others are newer.",
    );
  }
  return command;
}
