/** Checks the bytes of a command before it is proposed, whether an executor encoded it or a client sent it. */
import { RaftError } from "../../errors.ts";

/**
 * Throws PAYLOAD_TOO_LARGE for a command above the limit. Throws CONFIG_INVALID for a value that is no Uint8Array and for an empty one, because an
 * entry without data is not a command.
 */
export function checkCommand(data: Uint8Array, limitBytes: number): void {
  if (!(data instanceof Uint8Array)) {
    // A value that no node can decode would stop every node once it is replicated.
    throw new RaftError(
      "CONFIG_INVALID",
      "The executor's encode returned a value that is no Uint8Array. Return the command's bytes as a Uint8Array.",
    );
  }
  if (data.length > limitBytes) {
    throw new RaftError(
      "PAYLOAD_TOO_LARGE",
      `A command has ${data.length} bytes, above the limit of ${limitBytes}. Store large values elsewhere and replicate a reference, or raise maxCommandBytes on every node.`,
      { details: { bytes: data.length, limitBytes } },
    );
  }
  if (data.length === 0) {
    throw new RaftError(
      "CONFIG_INVALID",
      "The executor's encode returned an empty command. Encode each command in at least one byte.",
    );
  }
}
