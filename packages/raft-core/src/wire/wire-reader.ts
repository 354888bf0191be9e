/**
 * Reads protobuf's wire format, without bigint, from untrusted bytes.
 *
 * Role: the reading half of every hand-written codec. A reader walks one buffer from front to back. A submessage is read
 * by the same reader, whose end is moved to the submessage's end meanwhile (`enter`), or by a reader of its own (`message`).
 *
 * Invariants:
 * R1. No byte at or behind `end` is read.
 * R2. For any bytes, reading ends with a value or with the error of the reader's refusal, in time linear in their length.
 * R3. `view()` returns views, not copies: the buffer must not change while the views are in use.
 */
import { EMPTY_BYTES } from "../types.ts";
import { asciiText } from "./ascii-text.ts";
import { malformed, type WireRefusal } from "./refusal.ts";
import { FIXED32, FIXED64, LENGTH_DELIMITED, VARINT } from "./wire-types.ts";

const MAX_TAG = 2 ** 32 - 1;
const MAX_VARINT_BYTES = 10;
const TWO_POW_32 = 2 ** 32;
/** Texts up to this length are read by `asciiText`, which is faster than the platform's decoder. */
const ASCII_LOOP_BYTES = 48;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A position in a message. The usual loop calls {@link field}, then the method of the field's type for the value, or {@link skip}. The
 * methods of values refuse a field of another wire type. Every method may throw the error of the reader's refusal.
 */
export class WireReader {
  readonly #buffer: Uint8Array;
  readonly #refuse: WireRefusal;
  #at: number;
  #end: number;
  #wireType = 0;

  /** Reads `[start, end)` of `buffer`. `refuse` creates the errors for invalid bytes: RaftError CODEC_INVALID by default. */
  constructor(buffer: Uint8Array, refuse: WireRefusal = malformed, start = 0, end: number = buffer.length) {
    this.#buffer = buffer;
    this.#refuse = refuse;
    this.#at = start;
    this.#end = end;
  }

  /** Whether the present message has been read to its end. */
  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The next field's number; 0 at the end of the message. */
  field(): number {
    if (this.#at >= this.#end) return 0;
    const first = this.#buffer[this.#at] as number;
    if (first >= 8 && first < 0x80) {
      this.#at++;
      this.#wireType = first & 7;
      return first >>> 3;
    }
    return this.#highField();
  }

  /** A bare unsigned integer up to 2^53 - 1, without a field. */
  varint(): number {
    const at = this.#at;
    const first = this.#buffer[at] as number;
    // Most varints have one byte. Comparing undefined, behind the buffer, gives false.
    if (first < 0x80 && at < this.#end) {
      this.#at = at + 1;
      return first;
    }
    return this.#longVarint();
  }

  /** An unsigned integer up to 2^53 - 1. */
  uint(): number {
    this.#expect(VARINT);
    return this.varint();
  }

  /** A signed 64-bit integer within 2^53 of zero. */
  int64(): number {
    this.#expect(VARINT);
    let low = 0;
    let high = 0;
    let shift = 0;
    for (;;) {
      if (this.#at >= this.#end) throw this.#refuse("bytes end in the middle of a varint");
      const byte = this.#buffer[this.#at++] as number;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) break;
      shift += 7;
      if (shift > 63) throw this.#refuse("a varint is longer than ten bytes");
    }
    const value = (high | 0) * TWO_POW_32 + (low >>> 0);
    if (!Number.isSafeInteger(value)) throw this.#refuse("a signed integer is further than 2^53 - 1 from zero");
    return value;
  }

  /** Four bytes, as an unsigned integer. */
  fixed32(): number {
    this.#expect(FIXED32);
    const at = this.#at;
    this.#advance(4);
    return new DataView(this.#buffer.buffer, this.#buffer.byteOffset + at, 4).getUint32(0, true);
  }

  /** A bool. */
  bool(): boolean {
    return this.uint() !== 0;
  }

  /** A string. */
  string(): string {
    this.#expect(LENGTH_DELIMITED);
    return this.bareString();
  }

  /** A copy of a field's content, which does not keep the whole buffer in memory. */
  bytes(): Uint8Array {
    this.#expect(LENGTH_DELIMITED);
    return this.bareBytes();
  }

  /** A view of a field's content (R3). */
  view(): Uint8Array {
    this.#expect(LENGTH_DELIMITED);
    const length = this.#length();
    if (length === 0) return EMPTY_BYTES;
    const from = this.#at;
    this.#at += length;
    return this.#buffer.subarray(from, this.#at);
  }

  /** A reader of a submessage. This reader continues behind the submessage. */
  message(): WireReader {
    this.#expect(LENGTH_DELIMITED);
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return new WireReader(this.#buffer, this.#refuse, start, this.#at);
  }

  /** Begins a submessage, to be read to its end with this reader. Pass the returned value to {@link leave}. */
  enter(): number {
    this.#expect(LENGTH_DELIMITED);
    const length = this.#length();
    const outer = this.#end;
    this.#end = this.#at + length;
    return outer;
  }

  /** Ends the submessage that {@link enter} began. All of it must have been read. */
  leave(outer: number): void {
    this.#end = outer;
  }

  /** Appends the unsigned integers of this field to `into`: a packed list, or one integer of an unpacked list. */
  uints(into: number[]): void {
    if (this.#wireType === VARINT) {
      into.push(this.varint());
      return;
    }
    const outer = this.enter();
    while (this.#at < this.#end) into.push(this.varint());
    this.leave(outer);
  }

  /** A length and a string, without a field. */
  bareString(): string {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    if (length <= ASCII_LOOP_BYTES) {
      const text = asciiText(this.#buffer, start, this.#at);
      if (text !== undefined) return text;
    }
    try {
      return decoder.decode(this.#buffer.subarray(start, this.#at));
    } catch (cause) {
      throw this.#refuse("a string is not UTF-8", cause);
    }
  }

  /** A length and a copy of the content, without a field. */
  bareBytes(): Uint8Array {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return this.#buffer.slice(start, this.#at);
  }

  /** A copy of all bytes that have not been read. The position does not change. */
  rest(): Uint8Array {
    return this.#buffer.slice(this.#at, this.#end);
  }

  /** Skips an integer of up to 64 bits, for a known field that is not used. */
  skipInteger(): void {
    this.#expect(VARINT);
    this.#skipVarint();
  }

  /** Skips the value of an unknown field. */
  skip(): void {
    switch (this.#wireType) {
      case VARINT:
        this.#skipVarint();
        return;
      case FIXED64:
        this.#advance(8);
        return;
      case LENGTH_DELIMITED:
        this.#advance(this.#length());
        return;
      case FIXED32:
        this.#advance(4);
        return;
      default:
        throw this.#refuse(`a field has wire type ${this.#wireType}, which this format does not have`);
    }
  }

  #highField(): number {
    const tag = this.varint();
    if (tag < 8 || tag > MAX_TAG) throw this.#refuse("a field has an impossible number");
    this.#wireType = tag & 7;
    return tag >>> 3;
  }

  #longVarint(): number {
    const end = this.#end;
    let at = this.#at;
    let value = 0;
    let scale = 1;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      if (at >= end) throw this.#refuse("bytes end in the middle of a varint");
      const byte = this.#buffer[at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw this.#refuse("a varint is beyond 2^53 - 1");
        this.#at = at;
        return value;
      }
      scale *= 0x80;
    }
    throw this.#refuse("a varint is longer than ten bytes");
  }

  /** Skips a varint without computing its value, because an unknown field may have 64 bits. */
  #skipVarint(): void {
    let length = 1;
    while (this.#at < this.#end && (this.#buffer[this.#at] as number) >= 0x80) {
      this.#at++;
      length++;
    }
    if (length > MAX_VARINT_BYTES) throw this.#refuse("a varint is longer than ten bytes");
    this.#advance(1);
  }

  #length(): number {
    const length = this.varint();
    if (length > this.#end - this.#at) {
      throw this.#refuse(`a field of ${length} bytes runs past the end of its message`);
    }
    return length;
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) throw this.#refuse("bytes end in the middle of a field");
    this.#at += count;
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw this.#otherType(wireType);
  }

  #otherType(wireType: number): Error {
    return this.#refuse(`a field has wire type ${this.#wireType} where ${wireType} belongs`);
  }
}
