/**
 * Writes protobuf's wire format into a buffer that grows, in one pass and without bigint. `sized-fields.ts` instead computes the size of a
 * message first.
 *
 * Default values are left out (proto3). With fields in order, the bytes equal those of any protobuf implementation.
 */
import { type NumberRefusal, unwritable } from "./refusal.ts";
import { writeVarint } from "./varint.ts";
import { LENGTH_DELIMITED, VARINT } from "./wire-types.ts";

const MAX_VARINT_BYTES = 10;
/** The buffer of a writer that was given no size. */
const INITIAL_BYTES = 256;

const encoder = new TextEncoder();

/** Writes fields in the order of the calls. Methods with a number throw the error of the writer's refusal unless it is a safe integer from 0 on. */
export class WireWriter {
  readonly #refuse: NumberRefusal;
  #buffer: Uint8Array;
  #length = 0;

  /**
   * The buffer has `initialBytes` at first and is doubled each time it is full. `refuse` creates the errors for numbers that cannot be
   * written: RaftError CODEC_INVALID by default.
   */
  constructor(initialBytes: number = INITIAL_BYTES, refuse: NumberRefusal = unwritable) {
    this.#buffer = new Uint8Array(initialBytes);
    this.#refuse = refuse;
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** Begins again at the start of the buffer. */
  reset(): void {
    this.#length = 0;
  }

  /** A view of the written bytes, valid until the next write or reset. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** A copy of the written bytes. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  /** A bare varint, without a field. */
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw this.#refuse(value);
    this.#reserve(MAX_VARINT_BYTES);
    this.#length = writeVarint(this.#buffer, this.#length, value);
  }

  /** An unsigned integer field. */
  uint(field: number, value: number): void {
    if (value === 0) return;
    this.varint(field * 8 + VARINT);
    this.varint(value);
  }

  /** A bool field. */
  bool(field: number, value: boolean): void {
    if (value) this.uint(field, 1);
  }

  /** A string field. */
  string(field: number, value: string): void {
    if (value.length === 0) return;
    this.varint(field * 8 + LENGTH_DELIMITED);
    this.bareString(value);
  }

  /** A bytes field. */
  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.message(field, value);
  }

  /** A submessage. Unlike {@link bytes} it is written even when it is empty. */
  message(field: number, value: Uint8Array): void {
    this.varint(field * 8 + LENGTH_DELIMITED);
    this.bareBytes(value);
  }

  /** A length and a string in UTF-8, without a field. */
  bareString(value: string): void {
    const start = this.#length;
    const units = value.length;
    if (units < 0x80) {
      this.#reserve(units + 1);
      const buffer = this.#buffer;
      let at = start;
      buffer[at++] = units;
      let i = 0;
      for (; i < units; i++) {
        const unit = value.charCodeAt(i);
        if (unit >= 0x80) break;
        buffer[at++] = unit;
      }
      if (i === units) {
        this.#length = at;
        return;
      }
    }
    this.bareBytes(encoder.encode(value));
  }

  /** A length and bytes, without a field. */
  bareBytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  /** Bytes without a length. */
  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
