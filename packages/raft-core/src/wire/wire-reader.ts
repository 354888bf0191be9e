/**
 * Reading protobuf's wire format from bytes that nobody vouches for.
 *
 * Role: the reading half of the codec's foundation. One reader walks one buffer from front to back; a submessage narrows the
 * end for as long as it lasts.
 *
 * Invariants:
 * R1. Nothing is read at or behind `end`.
 * R2. Whatever the bytes are, reading ends with a value or a RaftError CODEC_INVALID, in time linear in their length.
 * R3. `bytes()` returns views, not copies: the buffer must not change while what was read from it is in use.
 */
import { RaftError } from "../errors.ts";
import { EMPTY_BYTES } from "../types.ts";
import { type Cursor, readVarint } from "./varint.ts";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire-writer.ts";

const MAX_TAG = 2 ** 32 - 1;
const TWO_POW_32 = 2 ** 32;

export class WireReader implements Cursor {
  readonly bytes: Uint8Array;
  at: number;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.at = 0;
    this.#end = bytes.length;
  }

  /** Whether another field follows in the message that is being read. */
  more(): boolean {
    return this.at < this.#end;
  }

  /** The next field's tag: number times 8 plus wire type. */
  tag(): number {
    const tag = this.uint();
    if (tag < 8 || tag > MAX_TAG) throw malformed("a field has an impossible number");
    return tag;
  }

  /** An unsigned integer up to 2^53 - 1. */
  uint(): number {
    const first = this.bytes[this.at];
    if (first !== undefined && first < 0x80 && this.at < this.#end) {
      this.at++;
      return first;
    }
    const value = readVarint(this);
    if (this.at > this.#end) throw malformed("a varint runs past the end of its message");
    return value;
  }

  /** A signed 64-bit integer within 2^53 of zero. */
  int64(): number {
    let low = 0;
    let high = 0;
    let shift = 0;
    for (;;) {
      if (this.at >= this.#end) throw malformed("bytes end in the middle of a varint");
      const byte = this.bytes[this.at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) break;
      shift += 7;
      if (shift > 63) throw malformed("a varint is longer than ten bytes");
    }
    const value = (high | 0) * TWO_POW_32 + (low >>> 0);
    if (!Number.isSafeInteger(value)) throw malformed("a signed integer is further than 2^53 - 1 from zero");
    return value;
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  /** A view of a field's content (R3). */
  view(): Uint8Array {
    const length = this.#length();
    if (length === 0) return EMPTY_BYTES;
    const from = this.at;
    this.at += length;
    return this.bytes.subarray(from, this.at);
  }

  /** Begins a submessage or packed list. Hand what it returns to {@link leave}. */
  enter(): number {
    const length = this.#length();
    const outer = this.#end;
    this.#end = this.at + length;
    return outer;
  }

  /** Ends what {@link enter} began; all of it has been read. */
  leave(outer: number): void {
    this.#end = outer;
  }

  /** A list of unsigned integers, packed or one by one: appends what this field holds. */
  uints(wireType: number, into: number[]): void {
    if (wireType === VARINT) {
      into.push(this.uint());
      return;
    }
    this.expect(wireType, LENGTH_DELIMITED);
    const outer = this.enter();
    while (this.more()) into.push(this.uint());
    this.leave(outer);
  }

  /** Refuses a known field that comes with another wire type than its own. */
  expect(wireType: number, expected: number): void {
    if (wireType !== expected) throw malformed(`a field has wire type ${wireType} where ${expected} belongs`);
  }

  /** Passes over a field that this version does not know. */
  skip(wireType: number): void {
    if (wireType === VARINT) {
      // Not read as a number: an unknown field may well hold 64 bits.
      let length = 1;
      while (this.at < this.#end && (this.bytes[this.at] as number) >= 0x80) {
        this.at++;
        length++;
      }
      if (length > 10) throw malformed("a varint is longer than ten bytes");
      this.#advance(1);
    } else if (wireType === FIXED64) this.#advance(8);
    else if (wireType === LENGTH_DELIMITED) this.#advance(this.#length());
    else if (wireType === FIXED32) this.#advance(4);
    else throw malformed(`a field has wire type ${wireType}, which this format does not have`);
  }

  #length(): number {
    const length = this.uint();
    if (length > this.#end - this.at) throw malformed(`a field of ${length} bytes runs past the end of its message`);
    return length;
  }

  #advance(count: number): void {
    if (count > this.#end - this.at) throw malformed("bytes end in the middle of a field");
    this.at += count;
  }
}

/** The error of bytes that are not what they should be. */
export function malformed(what: string): RaftError {
  return new RaftError("CODEC_INVALID", `not a message of this protocol: ${what}`);
}
