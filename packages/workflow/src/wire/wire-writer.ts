/**
 * Writes protobuf's wire format for the few field types this package uses, in one pass and without bigint.
 *
 * Default values are left out (proto3), so bytes are what any protobuf implementation writes when fields come in order.
 */
import { WorkflowError } from "../errors.ts";

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const encoder = new TextEncoder();

export class WireWriter {
  #buffer: Uint8Array;
  #length = 0;

  constructor(initialBytes = 256) {
    this.#buffer = new Uint8Array(initialBytes);
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written; the buffer is kept. */
  reset(): void {
    this.#length = 0;
  }

  /** What was written, valid until the next write or reset. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }

  /** Any safe integer from 0 on, as a bare varint. */
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new WorkflowError("COMMAND_INVALID", `${value} is not a whole number from 0 to 2^53-1`);
    }
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x8000_0000) {
      this.#buffer[this.#length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      this.#buffer[this.#length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#length++] = rest;
  }

  uint(field: number, value: number): void {
    if (value === 0) return;
    this.varint(field * 8 + VARINT);
    this.varint(value);
  }

  bool(field: number, value: boolean): void {
    if (value) this.uint(field, 1);
  }

  string(field: number, value: string): void {
    if (value.length === 0) return;
    this.varint(field * 8 + LENGTH_DELIMITED);
    this.bareString(value);
  }

  bytes(field: number, value: Uint8Array): void {
    if (value.length === 0) return;
    this.message(field, value);
  }

  /** A submessage: unlike `bytes`, written even when empty. */
  message(field: number, value: Uint8Array): void {
    this.varint(field * 8 + LENGTH_DELIMITED);
    this.bareBytes(value);
  }

  /** Length and UTF-8, without a field. */
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

  /** Length and bytes, without a field. */
  bareBytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

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
