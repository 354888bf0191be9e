/** `eraftpb.ConfState`. Lists are written packed, and read packed or not. */
import type { ConfState } from "../types.ts";
import { boolFieldSize, packedFieldSize, tagOf, writeBoolField, writePackedField } from "../wire/sized-fields.ts";
import { WireReader } from "../wire/wire-reader.ts";
import { LENGTH_DELIMITED, VARINT } from "../wire/wire-types.ts";

const VOTERS = tagOf(1, LENGTH_DELIMITED);
const LEARNERS = tagOf(2, LENGTH_DELIMITED);
const VOTERS_OUTGOING = tagOf(3, LENGTH_DELIMITED);
const LEARNERS_NEXT = tagOf(4, LENGTH_DELIMITED);
const AUTO_LEAVE = tagOf(5, VARINT);

/** Bytes of an encoded configuration. */
export function confStateSize(confState: ConfState): number {
  return (
    packedFieldSize(VOTERS, confState.voters) +
    packedFieldSize(LEARNERS, confState.learners) +
    packedFieldSize(VOTERS_OUTGOING, confState.votersOutgoing) +
    packedFieldSize(LEARNERS_NEXT, confState.learnersNext) +
    boolFieldSize(AUTO_LEAVE, confState.autoLeave)
  );
}

/** Writes `confState` at `at` and returns the position after it. */
export function writeConfState(target: Uint8Array, at: number, confState: ConfState): number {
  let to = writePackedField(target, at, VOTERS, confState.voters);
  to = writePackedField(target, to, LEARNERS, confState.learners);
  to = writePackedField(target, to, VOTERS_OUTGOING, confState.votersOutgoing);
  to = writePackedField(target, to, LEARNERS_NEXT, confState.learnersNext);
  return writeBoolField(target, to, AUTO_LEAVE, confState.autoLeave);
}

/** Reads up to the end of the message that `reader` is in. Extends `before` when the field comes in several parts. */
export function readConfState(reader: WireReader, before?: ConfState): ConfState {
  const voters = [...(before?.voters ?? [])];
  const learners = [...(before?.learners ?? [])];
  const votersOutgoing = [...(before?.votersOutgoing ?? [])];
  const learnersNext = [...(before?.learnersNext ?? [])];
  let autoLeave = before?.autoLeave ?? false;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    switch (field) {
      case 1:
        reader.uints(voters);
        break;
      case 2:
        reader.uints(learners);
        break;
      case 3:
        reader.uints(votersOutgoing);
        break;
      case 4:
        reader.uints(learnersNext);
        break;
      case 5:
        autoLeave = reader.bool();
        break;
      default:
        reader.skip();
    }
  }
  return { voters, learners, votersOutgoing, learnersNext, autoLeave };
}

/** The bytes of `confState`. Throws RaftError CODEC_INVALID for ids beyond the safe integers. */
export function encodeConfState(confState: ConfState): Uint8Array {
  const target = new Uint8Array(confStateSize(confState));
  writeConfState(target, 0, confState);
  return target;
}

/** The configuration in `bytes`. Throws RaftError CODEC_INVALID. */
export function decodeConfState(bytes: Uint8Array): ConfState {
  return readConfState(new WireReader(bytes));
}
