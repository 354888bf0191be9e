/**
 * Sector stamps: what tells a sector that was never written from one that was written and has changed since.
 *
 * A journal file is used again and again, each use being a generation. Disks write whole sectors (512 bytes), in any
 * order until they are flushed, so that after a power cut some sectors of the last record may be the new ones and some
 * still those of an earlier generation. Every sector ends with a stamp made of the generation and its place.
 *
 * T1. A stamp is never 0: a sector of zeros was never written.
 * T2. The generation can be computed back from a stamp and its place, so that every earlier generation is recognised,
 *     however long ago it was; a damaged stamp yields a generation that cannot be (but for one in some hundred millions).
 * T3. The generations of a file are all even or all odd: those of the two files take turns.
 */
import { invariant } from "@raftoral/raft-core";

export const SECTOR_BYTES = 512;
export const STAMP_BYTES = 4;
/** Bytes of a sector that are free for content. */
export const SECTOR_CONTENT_BYTES: number = SECTOR_BYTES - STAMP_BYTES;
/** Generations are smaller than this; at one a second they last for 68 years. */
export const GENERATION_LIMIT = 0x8000_0000;

const PLACE_FACTOR = 0x9e37_79b1;
const FIRST_FACTOR = 0x85eb_ca6b;
const SECOND_FACTOR = 0xc2b2_ae35;
const FIRST_INVERSE = inverseOf(FIRST_FACTOR);
const SECOND_INVERSE = inverseOf(SECOND_FACTOR);

/** What a sector's stamp says, seen from a generation. */
export type SectorKind =
  /** Written in this generation. */
  | "current"
  /** Left from an earlier generation, or never written. */
  | "stale"
  /** Neither: damaged, or of a later generation. */
  | "foreign";

/** The stamp of the sector at `place` (counted in sectors from the beginning of the file). */
export function stampOf(generation: number, place: number): number {
  invariant(generation > 0 && generation < GENERATION_LIMIT, () => `journal generation ${generation} is out of range`);
  // The highest bit is set by the place alone: never 0, and mixing maps nothing else to 0 (T1).
  let mixed = generation ^ maskOf(place);
  mixed = Math.imul(mixed ^ (mixed >>> 16), FIRST_FACTOR);
  mixed = Math.imul(mixed ^ (mixed >>> 13), SECOND_FACTOR);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/** The generation that gives the sector at `place` this stamp; not below {@link GENERATION_LIMIT} when there is none. */
export function generationOf(stamp: number, place: number): number {
  let mixed = stamp ^ (stamp >>> 16);
  mixed = Math.imul(mixed, SECOND_INVERSE);
  mixed ^= (mixed >>> 13) ^ (mixed >>> 26);
  mixed = Math.imul(mixed, FIRST_INVERSE);
  mixed ^= mixed >>> 16;
  return (mixed ^ maskOf(place)) >>> 0;
}

/** What the sector at `at` in `bytes`, whose place in the file is `place`, is to `generation`. */
export function kindOf(bytes: Buffer, at: number, place: number, generation: number): SectorKind {
  const stamp = bytes.readUInt32LE(at + SECTOR_CONTENT_BYTES);
  if (stamp === 0) return isBlank(bytes, at) ? "stale" : "foreign";
  const written = generationOf(stamp, place);
  if (written === generation) return "current";
  return written > 0 && written < generation && (generation - written) % 2 === 0 ? "stale" : "foreign";
}

function isBlank(bytes: Buffer, at: number): boolean {
  for (let i = at; i < at + SECTOR_BYTES; i++) if (bytes[i] !== 0) return false;
  return true;
}

function maskOf(place: number): number {
  return Math.imul(place, PLACE_FACTOR) | 0x8000_0000;
}

/** The number that undoes multiplication by an odd `factor` modulo 2^32 (Newton's iteration doubles the correct bits). */
function inverseOf(factor: number): number {
  let inverse = factor;
  for (let bits = 3; bits < 32; bits *= 2) inverse = Math.imul(inverse, 2 - Math.imul(factor, inverse));
  return inverse;
}
