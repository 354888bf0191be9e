/** Payloads as lines of text. */
import type { EncodedValue, Payload } from "../api/payloads/payload.ts";

/** The JSON of a payload; of one that is encoded and cannot be read here, what is known of it. Empty for no value. */
export function payloadText(payload: Payload): string {
  const { encoded } = payload;
  if (encoded !== undefined) return encodedText(encoded);
  return payload.bytes.length === 0 ? "" : JSON.stringify(payload);
}

/** What is known of a value that cannot be read here: `encoded by encryption (keyId k1), 132 bytes, application/json`. */
export function encodedText({ contentType, encodedBytes, codecs }: EncodedValue): string {
  const layers = codecs.map(({ codec, metadata }) => {
    const facts = Object.entries(metadata).map(([key, value]) => `${key} ${value}`);
    return facts.length === 0 ? codec : `${codec} (${facts.join(", ")})`;
  });
  return `encoded by ${layers.join(", ") || "an unknown codec"}, ${encodedBytes} bytes, ${contentType}`;
}
