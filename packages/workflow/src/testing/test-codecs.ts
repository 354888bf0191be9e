/** Payload codecs of tests: what they did can be seen, and they can be made to fail. */
import type { PayloadCodec } from "../payloads/payload-codec.ts";

/** A codec that turns every bit over, under a key id that it must know to undo it. */
export class FlippingCodec implements PayloadCodec {
  readonly name = "flip";
  readonly #active: string;
  readonly #known: ReadonlySet<string>;
  /** Thrown by everything until it is undefined. */
  failure: Error | undefined;
  encoded = 0;
  decoded = 0;

  constructor(active: string, ...known: readonly string[]) {
    this.#active = active;
    this.#known = new Set([active, ...known]);
  }

  async encode(bytes: Uint8Array): Promise<{ bytes: Uint8Array; metadata: Record<string, string> }> {
    if (this.failure !== undefined) throw this.failure;
    this.encoded += 1;
    return { bytes: flipped(bytes), metadata: { keyId: this.#active } };
  }

  async decode(
    bytes: Uint8Array,
    { metadata }: { readonly metadata: Readonly<Record<string, string>> },
  ): Promise<Uint8Array> {
    if (this.failure !== undefined) throw this.failure;
    if (!this.#known.has(metadata.keyId ?? "")) throw new Error(`there is no key ${metadata.keyId}`);
    this.decoded += 1;
    return flipped(bytes);
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => ~byte);
}
