/**
 * A value of a workflow as its users see it: bytes that are decoded when somebody asks for the value, and not before.
 *
 * Role: the one place outside of workflow bodies where values become bytes and bytes become values. Everything below carries the bytes.
 */
import { EMPTY_BYTES } from "@raftoral/raft-core";
import { decodeValue, encodeValue } from "@raftoral/workflow";

/** An input, result, signal or recorded value: JSON in UTF-8, or other bytes where a foreign client sent them. No bytes stand for `undefined`. */
export class Payload {
  /** The bytes as they are recorded. Do not change them. */
  readonly bytes: Uint8Array;
  readonly #what: string;

  private constructor(bytes: Uint8Array, what: string) {
    this.bytes = bytes;
    this.#what = what;
  }

  /**
   * The payload of a value. `what` names the value in errors: "the input of process_order". The bytes of a payload are taken as they are. Throws
   * VALUE_NOT_SERIALIZABLE for what JSON would change or drop in silence.
   */
  static of(value: unknown, what: string): Payload {
    if (value instanceof Payload) return new Payload(value.bytes, what);
    if (value === undefined) return new Payload(EMPTY_BYTES, what);
    // Nodes have limits of their own; there is none here.
    return new Payload(encodeValue(value, what, Number.POSITIVE_INFINITY), what);
  }

  /** The payload of bytes that are encoded already. Takes ownership of them. `what` names the value in errors. */
  static ofBytes(bytes: Uint8Array, what: string): Payload {
    return new Payload(bytes, what);
  }

  /** The value, decoded at each call. Throws VALUE_UNREADABLE for bytes that are not JSON in UTF-8. */
  value<T = unknown>(): T {
    return decodeValue(this.bytes, this.#what) as T;
  }

  /** What `JSON.stringify` shows: the value, or `{ "base64": "..." }` for bytes that are not JSON. */
  toJSON(): unknown {
    try {
      return this.value();
    } catch {
      return { base64: Buffer.from(this.bytes).toString("base64") };
    }
  }
}
