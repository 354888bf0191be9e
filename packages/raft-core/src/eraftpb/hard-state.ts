/** `eraftpb.HardState`. */
import type { HardState } from "../types.ts";
import { tagOf, uintFieldSize, writeUintField } from "../wire/sized-fields.ts";
import { WireReader } from "../wire/wire-reader.ts";
import { VARINT } from "../wire/wire-types.ts";

const TERM = tagOf(1, VARINT);
const VOTE = tagOf(2, VARINT);
const COMMIT = tagOf(3, VARINT);

/** The bytes of `hardState`. Throws RaftError CODEC_INVALID for numbers beyond the safe integers. */
export function encodeHardState(hardState: HardState): Uint8Array {
  const { term, vote, commit } = hardState;
  const size = uintFieldSize(TERM, term) + uintFieldSize(VOTE, vote) + uintFieldSize(COMMIT, commit);
  const target = new Uint8Array(size);
  let to = writeUintField(target, 0, TERM, term);
  to = writeUintField(target, to, VOTE, vote);
  writeUintField(target, to, COMMIT, commit);
  return target;
}

/** The hard state in `bytes`. Throws RaftError CODEC_INVALID. */
export function decodeHardState(bytes: Uint8Array): HardState {
  const reader = new WireReader(bytes);
  let term = 0;
  let vote = 0;
  let commit = 0;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field > 3) {
      reader.skip();
      continue;
    }
    const value = reader.uint();
    if (field === 1) term = value;
    else if (field === 2) vote = value;
    else commit = value;
  }
  return { term, vote, commit };
}
