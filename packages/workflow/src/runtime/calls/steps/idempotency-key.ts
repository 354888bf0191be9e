/**
 * Idempotency keys: what a step gives to outside systems, so that they carry out its work once.
 *
 * IK1. The same for all attempts of a step, on every owner, after restarts and after a backup was restored: a key depends on the run's id, the run's seed
 *      and the step's path, and on nothing else.
 * IK2. Another one for everything else. Every start brings a seed of its own (16 random bytes; for a start without one the state makes it of what the
 *      cluster's processes have drawn), so that the same id has other keys in another cluster, and when it is used again after pruning. The parts are hashed
 *      as a JSON list, in which none can pass for a piece of another.
 */
// Not `hash`, which Node 18 lacks: there the entries must load far enough to say that the version is too old.
import { createHash } from "node:crypto";

/** What a run's keys depend on. */
export interface KeyedRun {
  readonly runId: string;
  readonly seed: Uint8Array;
}

const PREFIX = "rk_";
/** Base 32 in lower case: 26 characters hold 130 bits. */
const CHARACTERS = 26;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** The key of the step at `path`: `rk_` and 26 characters of a to z and 2 to 7. Opaque. */
export function idempotencyKey({ runId, seed }: KeyedRun, path: string): string {
  const parts = JSON.stringify([runId, Buffer.from(seed).toString("hex"), path]);
  const digest = createHash("sha256").update(parts).digest();
  let key = PREFIX;
  let [bits, held, at] = [0, 0, 0];
  for (let character = 0; character < CHARACTERS; character++) {
    if (held < 5) {
      bits = ((bits << 8) | (digest[at++] ?? 0)) & 0xffff;
      held += 8;
    }
    held -= 5;
    key += ALPHABET[(bits >>> held) & 31];
  }
  return key;
}
