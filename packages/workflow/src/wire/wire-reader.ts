/**
 * Reads protobuf's wire format without bigint. Numbers beyond 2^53-1, truncated fields and broken UTF-8 are refused with
 * COMMAND_INVALID; unknown fields are skipped.
 */
import { WorkflowError } from "../errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ASCII_LOOP_BYTES = 48;

export class WireReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  #wireType = 0;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The next field's number, 0 at the end. Its value must be read, or skipped by {@link skip}, before the next call. */
  field(): number {
    if (this.atEnd) return 0;
    const tag = this.varint();
    this.#wireType = tag & 7;
    const field = Math.floor(tag / 8);
    if (field === 0) throw malformed("field number 0");
    return field;
  }

  varint(): number {
    // Most numbers have one byte: tags, lengths, ids.
    const first = this.#at < this.#end ? (this.#bytes[this.#at] as number) : 0x80;
    if (first < 0x80) {
      this.#at += 1;
      return first;
    }
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= this.#end) throw malformed("a number is cut off");
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw malformed("a number is beyond 2^53-1");
        return value;
      }
      scale *= 128;
    }
    throw malformed("a number has more than ten bytes");
  }

  uint(): number {
    this.#expect(0);
    return this.varint();
  }

  bool(): boolean {
    return this.uint() !== 0;
  }

  string(): string {
    this.#expect(2);
    return this.bareString();
  }

  /** A copy, so that what is kept does not hold the whole command's buffer. */
  bytes(): Uint8Array {
    this.#expect(2);
    return this.bareBytes();
  }

  /** A reader over a submessage. */
  message(): WireReader {
    this.#expect(2);
    const [start, end] = this.#range();
    return new WireReader(this.#bytes, start, end);
  }

  bareString(): string {
    const [start, end] = this.#range();
    if (end - start <= ASCII_LOOP_BYTES) {
      const text = asciiText(this.#bytes, start, end);
      if (text !== undefined) return text;
    }
    try {
      return decoder.decode(this.#bytes.subarray(start, end));
    } catch (cause) {
      throw malformed("a string is not UTF-8", cause);
    }
  }

  bareBytes(): Uint8Array {
    const [start, end] = this.#range();
    return this.#bytes.slice(start, end);
  }

  skip(): void {
    switch (this.#wireType) {
      case 0:
        this.varint();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.#range();
        return;
      case 5:
        this.#advance(4);
        return;
      default:
        throw malformed(`wire type ${this.#wireType}`);
    }
  }

  #range(): readonly [start: number, end: number] {
    const length = this.varint();
    const start = this.#at;
    this.#advance(length);
    return [start, this.#at];
  }

  #advance(length: number): void {
    if (length > this.#end - this.#at) throw malformed(`a field of ${length} bytes is cut off`);
    this.#at += length;
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw malformed(`wire type ${this.#wireType} where ${wireType} is due`);
  }
}

/** Text of ASCII bytes, eight at a time: what is appended one by one is garbage at every character. Undefined for others. */
function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const a = bytes[at] as number;
    const b = bytes[at + 1] as number;
    const c = bytes[at + 2] as number;
    const d = bytes[at + 3] as number;
    const e = bytes[at + 4] as number;
    const f = bytes[at + 5] as number;
    const g = bytes[at + 6] as number;
    const h = bytes[at + 7] as number;
    if ((a | b | c | d | e | f | g | h) >= 0x80) return undefined;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

function malformed(what: string, cause?: unknown): WorkflowError {
  return new WorkflowError("COMMAND_INVALID", `Not a workflow command: ${what}`, { cause });
}
