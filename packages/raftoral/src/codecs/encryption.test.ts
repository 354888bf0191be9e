import { type PayloadCodec, PayloadCoder, readEnvelope, type ValueContext } from "@raftoral/workflow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compression } from "./compression.ts";
import { encryption, xaesGcm } from "./encryption.ts";

const k1 = new Uint8Array(32).fill(1);
const k2 = new Uint8Array(32).fill(2);
const VALUE: ValueContext = { kind: "input", runId: "r", what: "the input", isCompared: true };
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const coder = (codec: PayloadCodec): PayloadCoder => PayloadCoder.of(codec);

test("the cipher is XAES-256-GCM: it gives what its specification gives (EN1)", () => {
  const text = (ascii: string): Uint8Array => new TextEncoder().encode(ascii);
  const sealed = xaesGcm(k1).seal(text("ABCDEFGHIJKLMNOPQRSTUVWX"), text("XAES-256-GCM"), new Uint8Array(0));
  expect(Buffer.from(sealed).toString("hex")).toBe("ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271");
  const k3 = new Uint8Array(32).fill(3);
  const with3 = xaesGcm(k3).seal(text("ABCDEFGHIJKLMNOPQRSTUVWX"), text("XAES-256-GCM"), text("c2sp.org/XAES-256-GCM"));
  expect(Buffer.from(with3).toString("hex")).toBe("986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d");
});

describe("encryption", () => {
  test("gives back what it encrypted, and differs each time", async () => {
    const one = coder(encryption({ keys: { k1 }, activeKeyId: "k1" }));
    const property = fc.asyncProperty(fc.jsonValue(), async (value) => {
      const plain = bytesOf(value);
      const encrypted = await one.encode(plain, VALUE);
      expect(await one.decode(encrypted, "it")).toEqual(plain);
      expect(await one.encode(plain, VALUE)).not.toEqual(encrypted);
    });
    await fc.assert(property, { numRuns: 200 });
  });

  test("shows nothing of a value", async () => {
    const one = coder(encryption({ keys: { k1 }, activeKeyId: "k1" }));
    const encrypted = await one.encode(bytesOf({ secret: "tomato soup" }), VALUE);
    expect(Buffer.from(encrypted).toString("latin1")).not.toMatch(/secret|tomato/);
  });

  test("reads values of every key that is given, and encrypts with the active one", async () => {
    const before = coder(encryption({ keys: { k1 }, activeKeyId: "k1" }));
    const old = await before.encode(bytesOf("old"), VALUE);
    const rotated = coder(encryption({ keys: { k1, k2 }, activeKeyId: "k2" }));
    expect(await rotated.decode(old, "it")).toEqual(bytesOf("old"));
    const fresh = await rotated.encode(bytesOf("new"), VALUE);
    expect(readEnvelope(fresh).layers).toEqual([{ codec: "encryption", metadata: { keyId: "k2" } }]);
    await expect(before.decode(fresh, "it")).rejects.toMatchObject({
      code: "PAYLOAD_UNREADABLE",
      message: expect.stringContaining("there is no key k2"),
      details: { codec: "encryption", metadata: { keyId: "k2" } },
    });
  });

  test("has the same digest for the same value, before and after a rotation, and another without the key (EN4)", async () => {
    const digest = async (codec: PayloadCodec): Promise<string> =>
      Buffer.from(readEnvelope(await coder(codec).encode(bytesOf({ a: 1 }), VALUE)).digest).toString("hex");
    const before = await digest(encryption({ keys: { k1 }, activeKeyId: "k1" }));
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(await digest(encryption({ keys: { k1, k2 }, activeKeyId: "k2" }))).toBe(before);
    expect(await digest(encryption({ keys: { k2, k1 }, activeKeyId: "k2", digestKeyId: "k1" }))).toBe(before);
    expect(await digest(encryption({ keys: { k2 }, activeKeyId: "k2" }))).not.toBe(before);
  });

  test("does not read a value of which anything was changed (EN2)", async () => {
    const codecs = [compression({ thresholdBytes: 1 }), encryption({ keys: { k1, k2 }, activeKeyId: "k1" })];
    const both = PayloadCoder.of(codecs);
    const good = await both.encode(bytesOf("a".repeat(200)), VALUE);
    for (let at = 4; at < good.length; at++) {
      const changed = Uint8Array.from(good);
      changed[at] = (changed[at] as number) ^ 1;
      const read = await both.decode(changed, "it").catch((error: unknown) => error);
      expect(read, `byte ${at}`).toMatchObject({ code: "PAYLOAD_UNREADABLE" });
    }
  });

  test("keeps the values of different contexts apart (EN3)", async () => {
    const options = { keys: { k1 }, activeKeyId: "k1" };
    const encrypted = await coder(encryption({ ...options, context: "orders" })).encode(bytesOf(1), VALUE);
    const other = coder(encryption({ ...options, context: "payroll" }));
    await expect(other.decode(encrypted, "it")).rejects.toMatchObject({ code: "PAYLOAD_UNREADABLE" });
  });

  test.each<[string, Parameters<typeof encryption>[0]]>([
    ["no keys", { keys: {}, activeKeyId: "k1" }],
    ["a key that is too short", { keys: { k1: k1.subarray(1) }, activeKeyId: "k1" }],
    ["a key that is text", { keys: { k1: "x".repeat(32) as never }, activeKeyId: "k1" }],
    ["an active key that is not there", { keys: { k1 }, activeKeyId: "k2" }],
    ["a key of digests that is not there", { keys: { k1 }, activeKeyId: "k1", digestKeyId: "k2" }],
    ["an id that is too long", { keys: { ["k".repeat(101)]: k1 }, activeKeyId: "k".repeat(101) }],
  ])("is refused with %s", (_, options) => {
    expect(() => encryption(options)).toThrow(expect.objectContaining({ code: "OPTIONS_INVALID" }));
  });
});
