import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isEncoded, readEnvelope } from "../model/payload-envelope.ts";
import { FlippingCodec } from "../testing/test-codecs.ts";
import type { EncodeContext, PayloadCodec } from "./payload-codec.ts";
import { MAX_ENCODING_OVERHEAD_BYTES, PayloadCoder, type ValueContext } from "./payload-coder.ts";

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const VALUE: ValueContext = { kind: "step", runId: "r", what: "record s#0" };
/** Adds a byte, and gives it back. */
const padding: PayloadCodec = {
  name: "pad",
  encode: (bytes) => ({ bytes: Uint8Array.of(7, ...bytes) }),
  decode: (bytes) => bytes.subarray(1),
};

describe("a coder", () => {
  test("gives back what was encoded, through any number of codecs", async () => {
    const coder = PayloadCoder.of([padding, new FlippingCodec("k")]);
    const property = fc.asyncProperty(fc.jsonValue(), async (value) => {
      const plain = bytesOf(value);
      const encoded = await coder.encode(plain, VALUE);
      expect(isEncoded(encoded)).toBe(true);
      expect(readEnvelope(encoded).layers.map(({ codec }) => codec)).toEqual(["pad", "flip"]);
      expect(await coder.decode(encoded, "it")).toEqual(plain);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test("leaves a value alone that no codec encodes, nothing, and what is encoded (PC1, PC2, PC3)", async () => {
    const never: PayloadCodec = { ...padding, encode: () => undefined };
    const plain = bytesOf(1);
    expect(await PayloadCoder.of(never).encode(plain, VALUE)).toBe(plain);
    expect(await PayloadCoder.PLAIN.encode(plain, VALUE)).toBe(plain);
    expect(await PayloadCoder.of(padding).encode(new Uint8Array(0), VALUE)).toHaveLength(0);
    const encoded = await PayloadCoder.of(padding).encode(plain, VALUE);
    expect(await PayloadCoder.of(new FlippingCodec("k")).encode(encoded, VALUE)).toBe(encoded);
    expect(PayloadCoder.of([]).isPlain).toBe(true);
  });

  test("reads values of codecs that are not in use any more, in whatever order they stand (PC5)", async () => {
    const old = await PayloadCoder.of([padding, new FlippingCodec("k1")]).encode(bytesOf("old"), VALUE);
    const now = PayloadCoder.of([new FlippingCodec("k2", "k1"), { ...padding, encode: () => undefined }]);
    expect(await now.decode(old, "it")).toEqual(bytesOf("old"));
  });

  test("tells a codec what it encodes, and what is around it", async () => {
    const seen: EncodeContext[] = [];
    const spy: PayloadCodec = {
      ...padding,
      encode: (bytes, context) => {
        seen.push(context);
        return { bytes };
      },
      decode: (bytes, { associated }) => {
        expect(associated).toEqual(seen[0]?.associated);
        return bytes;
      },
    };
    const coder = PayloadCoder.of([new FlippingCodec("k"), spy]);
    const encoded = await coder.encode(bytesOf(1), VALUE);
    expect(seen).toEqual([
      { contentType: "application/json", kind: "step", runId: "r", associated: expect.any(Uint8Array) },
    ]);
    // The layer of the codec before is part of it.
    expect(new TextDecoder().decode(seen[0]?.associated)).toContain("flip");
    await coder.decode(encoded, "it");
  });

  test("gives the same digest to values that are the same, and none where values are not compared", async () => {
    const coder = PayloadCoder.of(new FlippingCodec("k"));
    const digest = async (json: string, isCompared = true): Promise<string> =>
      Buffer.from(
        readEnvelope(await coder.encode(new TextEncoder().encode(json), { ...VALUE, isCompared })).digest,
      ).toString("hex");
    expect(await digest('{"a":1,"b":2}')).toBe(await digest('{ "b": 2, "a": 1.0 }'));
    expect(await digest('{"a":1}')).not.toBe(await digest('{"a":2}'));
    expect(await digest("1")).toHaveLength(64);
    expect(await digest("1", false)).toBe("");
  });

  test("says which codec and key a value needs that it cannot read", async () => {
    const encoded = await PayloadCoder.of(new FlippingCodec("k2")).encode(bytesOf(1), VALUE);
    const unreadable = {
      code: "PAYLOAD_UNREADABLE",
      retryable: false,
      details: { codec: "flip", metadata: { keyId: "k2" } },
    };
    for (const coder of [PayloadCoder.PLAIN, PayloadCoder.of(padding), PayloadCoder.of(new FlippingCodec("k1"))]) {
      const error: unknown = await coder.decode(encoded, "record s#0").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(unreadable);
      expect(String(error)).toContain("flip (keyId k2)");
    }
  });

  test("takes a failure of encoding, and one that says so of decoding, for one that passes", async () => {
    const codec = new FlippingCodec("k");
    const coder = PayloadCoder.of(codec);
    const encoded = await coder.encode(bytesOf(1), VALUE);
    codec.failure = Object.assign(new Error("the key service is away"), { retryable: true });
    const failed = { code: "PAYLOAD_CODEC_FAILED", retryable: true, message: expect.stringContaining("is away") };
    await expect(coder.decode(encoded, "it")).rejects.toMatchObject(failed);
    codec.failure = new Error("the key service is away");
    await expect(coder.encode(bytesOf(1), VALUE)).rejects.toMatchObject(failed);
    await expect(coder.decode(encoded, "it")).rejects.toMatchObject({ code: "PAYLOAD_UNREADABLE" });
  });

  test.each<[string, PayloadCodec["encode"]]>([
    ["text", () => ({ bytes: "x" }) as never],
    ["null", () => null as never],
    ["far more than it got", (bytes) => ({ bytes: new Uint8Array(bytes.length + MAX_ENCODING_OVERHEAD_BYTES + 1) })],
    ["metadata that is no text", (bytes) => ({ bytes, metadata: { key: 1 } as never })],
    ["metadata that is too long", (bytes) => ({ bytes, metadata: { key: "x".repeat(257) } })],
  ])("refuses a codec that gives %s (PC4)", async (_, encode) => {
    const coder = PayloadCoder.of({ ...padding, encode });
    await expect(coder.encode(bytesOf(1), VALUE)).rejects.toMatchObject({ code: "PAYLOAD_CODEC_FAILED" });
  });

  test.each<[string, unknown]>([
    ["a text", "encryption"],
    ["null", [null]],
    ["a codec without a name", { ...padding, name: "" }],
    ["a codec that cannot decode", { name: "x", encode: () => undefined }],
    ["two of one name", [padding, padding]],
    ["too many", Array.from({ length: 9 }, (_, at) => ({ ...padding, name: String(at) }))],
  ])("is not made of %s", (_, given) => {
    expect(() => PayloadCoder.of(given as PayloadCodec)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });
});
