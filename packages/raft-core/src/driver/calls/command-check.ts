/** What a command must be to be proposed, wherever it comes from: an executor here, or a client's bytes. */
import { RaftError } from "../../errors.ts";

/** Throws PAYLOAD_TOO_LARGE, or CONFIG_INVALID for no bytes at all: an entry without data means something else. */
export function checkCommand(data: Uint8Array, limitBytes: number): void {
  if (!(data instanceof Uint8Array)) {
    // Replicated, it would stop every node that cannot decode it.
    throw new RaftError("CONFIG_INVALID", "a command must be a Uint8Array; the executor's encode gave something else");
  }
  if (data.length > limitBytes) {
    throw new RaftError(
      "PAYLOAD_TOO_LARGE",
      `a command of ${data.length} bytes is over the limit of ${limitBytes}; store large values elsewhere and replicate a reference, or raise maxCommandBytes on every node`,
      { details: { bytes: data.length, limitBytes } },
    );
  }
  if (data.length === 0) throw new RaftError("CONFIG_INVALID", "a command must have at least one byte");
}
