/** Says how far a look at a large folder has come, to people only. */
import type { VerifyProgress } from "@raftoral/storage-lmdb";
import type { CliIo } from "../../io.ts";
import { formatBytes } from "./sizes.ts";

/** A line for each so many bytes of a step. */
const STEP_BYTES = 256 * 1024 * 1024;

/** Lines to standard error, so that they are in the way of nothing; none for small folders. */
export function progressTo(io: CliIo): (progress: VerifyProgress) => void {
  let next = STEP_BYTES;
  let current = "";
  return ({ step, bytes }) => {
    if (step !== current) {
      current = step;
      next = STEP_BYTES;
    }
    if (bytes < next) return;
    next = bytes + STEP_BYTES;
    io.err(`${step}: ${formatBytes(bytes)} looked at\n`);
  };
}
