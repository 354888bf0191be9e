import { gzipSync } from "node:zlib";
import { damaged, EDIT_KINDS } from "@raftoral/raft-core/testing";
import { PayloadCoder, readEnvelope, type ValueContext, writeEnvelope } from "@raftoral/workflow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CompressionAlgorithm, compression } from "./compression.ts";

const VALUE: ValueContext = { kind: "step", runId: "r", what: "record s#0" };
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const long = bytesOf("tea ".repeat(1000));

/** The envelope of bytes that say that they are compressed so. */
const claimed = (content: Uint8Array, metadata: Record<string, string>): Uint8Array =>
  writeEnvelope(
    { contentType: "application/json", layers: [{ codec: "compression", metadata }], digest: new Uint8Array(0) },
    content,
  );

describe("compression", () => {
  test("reads no bytes that were damaged, and says so (CM2)", async () => {
    const coder = PayloadCoder.of(compression());
    const compressed = gzipSync(long);
    const edit = fc.record({ kind: fc.constantFrom(...EDIT_KINDS), at: fc.nat(), value: fc.nat() });
    const property = fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
      const bytes = damaged(compressed, edits);
      const read = coder.decode(claimed(bytes, { algorithm: "gzip", bytes: String(long.length) }), "it");
      const outcome: unknown = await read.catch((error: unknown) => error);
      if (outcome instanceof Uint8Array) expect(outcome).toHaveLength(long.length);
      else expect(outcome).toMatchObject({ code: "PAYLOAD_UNREADABLE" });
    });
    await fc.assert(property, { numRuns: 300 });
  });

  test.each<CompressionAlgorithm>(["gzip", "brotli", "zstd"])(
    "with %s makes a value smaller and gives it back",
    async (algorithm) => {
      const coder = PayloadCoder.of(compression({ algorithm }));
      const compressed = await coder.encode(long, VALUE);
      expect(compressed.length).toBeLessThan(long.length / 10);
      // Whatever this process compresses with.
      for (const other of ["gzip", "brotli"] as const)
        expect(await PayloadCoder.of(compression({ algorithm: other })).decode(compressed, "it")).toEqual(long);
    },
  );

  test("leaves small values alone, and those that it makes no smaller (CM1)", async () => {
    const coder = PayloadCoder.of(compression({ thresholdBytes: 100 }));
    for (const value of ["short", "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".slice(0, 62)]) {
      const plain = bytesOf(value);
      expect(await coder.encode(plain, VALUE)).toBe(plain);
      expect(await PayloadCoder.of(compression({ thresholdBytes: 0 })).encode(plain, VALUE)).toBe(plain);
    }
  });

  test.each<[string, Record<string, string>]>([
    ["fewer bytes than there are", { algorithm: "gzip", bytes: "100" }],
    ["more bytes than are allowed", { algorithm: "gzip", bytes: "100000000" }],
    ["more bytes than there are", { algorithm: "gzip", bytes: "5000" }],
    ["no number of bytes", { algorithm: "gzip", bytes: "many" }],
    ["an algorithm that there is not", { algorithm: "__proto__", bytes: "4002" }],
    ["another algorithm", { algorithm: "brotli", bytes: "4002" }],
  ])("does not read what claims %s (CM2)", async (_, metadata) => {
    const coder = PayloadCoder.of(compression());
    await expect(coder.decode(claimed(gzipSync(long), metadata), "it")).rejects.toMatchObject({
      code: "PAYLOAD_UNREADABLE",
    });
  });

  test("does not fill the memory with what a small value becomes (CM2)", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    const before = process.memoryUsage().arrayBuffers;
    const coder = PayloadCoder.of(compression({ maxBytes: 1_000_000 }));
    for (const bytes of ["50000000", "1000000"])
      await expect(coder.decode(claimed(bomb, { algorithm: "gzip", bytes }), "it")).rejects.toMatchObject({
        code: "PAYLOAD_UNREADABLE",
      });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20_000_000);
  });

  test("says how it compressed", async () => {
    const [layer] = readEnvelope(await PayloadCoder.of(compression()).encode(long, VALUE)).layers;
    expect(layer).toEqual({ codec: "compression", metadata: { algorithm: "gzip", bytes: String(long.length) } });
  });

  test.each([
    { thresholdBytes: -1 },
    { maxBytes: 1.5 },
    { algorithm: "lzma" as never },
    { algorithm: "__proto__" as never },
  ])("is refused with %j", (options) => {
    expect(() => compression(options)).toThrow(expect.objectContaining({ code: "OPTIONS_INVALID" }));
  });
});
