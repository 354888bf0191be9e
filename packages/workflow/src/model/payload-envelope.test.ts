import { damaged, EDIT_KINDS } from "@raftoral/raft-core/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  digestIn,
  type EnvelopeHeader,
  isEncoded,
  isSameValue,
  MAX_PAYLOAD_LAYERS,
  readEnvelope,
  writeEnvelope,
} from "./payload-envelope.ts";

const text = fc.string({ minLength: 1, maxLength: 40 });
const header: fc.Arbitrary<EnvelopeHeader> = fc.record({
  contentType: text,
  layers: fc.array(fc.record({ codec: text, metadata: fc.dictionary(text, text, { maxKeys: 4 }) }), { maxLength: 4 }),
  digest: fc.uint8Array({ maxLength: 32 }),
});
const edit = fc.record({ kind: fc.constantFrom(...EDIT_KINDS), at: fc.nat(), value: fc.nat() });
const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe("an envelope", () => {
  test("gives back what was written, and is no text (EV1)", () => {
    const property = fc.property(header, fc.uint8Array(), (given, content) => {
      const bytes = writeEnvelope(given, content);
      expect(isEncoded(bytes)).toBe(true);
      const read = readEnvelope(bytes);
      expect({ ...read, content: Uint8Array.from(read.content) }).toEqual({ ...given, content });
      expect(() => new TextDecoder("utf-8", { fatal: true }).decode(bytes)).toThrow(TypeError);
    });
    fc.assert(property);
  });

  test("is no plain value, whatever that is", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => !isEncoded(bytesOf(value))));
    for (const bytes of [[], [0xff], [0xff, 0x52, 0x50], [0xff, 0x52, 0x50, 0x02]])
      expect(isEncoded(Uint8Array.from(bytes))).toBe(false);
  });

  test("that is damaged is read, or refused with PAYLOAD_UNREADABLE (EV2)", () => {
    const good = writeEnvelope(
      {
        contentType: "application/json",
        layers: [{ codec: "c", metadata: { keyId: "k" } }],
        digest: new Uint8Array(32),
      },
      bytesOf({ a: 1 }),
    );
    const property = fc.property(edits, (chosen) => {
      const bytes = damaged(good, chosen);
      try {
        const { layers, digest } = readEnvelope(bytes);
        expect(layers.length).toBeLessThanOrEqual(MAX_PAYLOAD_LAYERS);
        expect(digest.length).toBeLessThanOrEqual(64);
      } catch (error) {
        expect(error).toMatchObject({ code: "PAYLOAD_UNREADABLE" });
      }
      expect(() => digestIn(bytes)).not.toThrow();
      expect(() => isSameValue(bytes, good)).not.toThrow();
    });
    fc.assert(property, { numRuns: 2000 });
  });

  test("with more than it may have is refused (EV2)", () => {
    const layer = { codec: "c", metadata: {} };
    const digest = new Uint8Array(0);
    const refused = (given: EnvelopeHeader): void =>
      expect(() => readEnvelope(writeEnvelope(given, digest))).toThrow(
        expect.objectContaining({ code: "PAYLOAD_UNREADABLE" }),
      );
    refused({ contentType: "a", layers: Array.from({ length: MAX_PAYLOAD_LAYERS + 1 }, () => layer), digest });
    refused({ contentType: "a".repeat(257), layers: [layer], digest });
    refused({ contentType: "a", layers: [{ codec: "", metadata: {} }], digest });
    refused({ contentType: "", layers: [layer], digest });
    refused({ contentType: "a", layers: [layer], digest: new Uint8Array(65) });
    const metadata = Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`key${at}`, "v"]));
    refused({ contentType: "a", layers: [{ codec: "c", metadata }], digest });
  });
});

describe("two values are the same (EV3)", () => {
  const envelope = (digest: string, content: string): Uint8Array =>
    writeEnvelope(
      { contentType: "application/json", layers: [{ codec: "c", metadata: {} }], digest: bytesOf(digest) },
      bytesOf(content),
    );
  const failure = (sealed: Uint8Array): Uint8Array =>
    bytesOf({ name: "Error", message: "m", sealed: Buffer.from(sealed).toString("base64") });

  test("by their bytes, or by their digests", () => {
    expect(isSameValue(bytesOf(1), bytesOf(1))).toBe(true);
    expect(isSameValue(bytesOf(1), bytesOf(2))).toBe(false);
    expect(isSameValue(envelope("d", "one"), envelope("d", "other"))).toBe(true);
    expect(isSameValue(envelope("d", "one"), envelope("e", "one"))).toBe(false);
    expect(isSameValue(envelope("d", "one"), bytesOf("one"))).toBe(false);
  });

  test("also inside of a failure that is sealed", () => {
    expect(isSameValue(failure(envelope("d", "one")), failure(envelope("d", "other")))).toBe(true);
    expect(isSameValue(failure(envelope("d", "one")), failure(envelope("e", "one")))).toBe(false);
    expect(isSameValue(failure(envelope("d", "one")), bytesOf({ sealed: "not base64!" }))).toBe(false);
  });
});
