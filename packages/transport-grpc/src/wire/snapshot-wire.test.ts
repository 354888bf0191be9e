import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SendSnapshotRequestSchema } from "../gen/raftoral/v1/peer_pb.ts";
import { frameOf, PREFIX_BYTES } from "./grpc-framing.ts";
import { decodePart, encodeChunkHeader, MAX_BYTES_AROUND_CHUNK } from "./snapshot-codec.ts";
import { SnapshotFrames } from "./snapshot-frames.ts";

const chunks = fc.record({
  offset: fc.nat(Number.MAX_SAFE_INTEGER),
  crc32: fc.nat(0xffffffff),
  plainBytes: fc.nat(0xffffffff),
  data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.from(bytes)),
});

describe("the codec of chunks", () => {
  test("writes what generated code reads, and reads what generated code writes", () => {
    fc.assert(
      fc.property(chunks, ({ data, ...header }) => {
        const head = encodeChunkHeader(header, data.length);
        expect(head.length).toBeLessThanOrEqual(MAX_BYTES_AROUND_CHUNK);
        const frame = Buffer.concat([head, data]);
        expect(frame.readUInt32BE(1)).toBe(frame.length - PREFIX_BYTES);
        const message = Uint8Array.from(frame.subarray(PREFIX_BYTES));
        const { part } = fromBinary(SendSnapshotRequestSchema, message);
        expect(part).toMatchObject({ case: "data", value: { ...header, offset: BigInt(header.offset), data } });
        const expected = { case: "chunk", chunk: { ...header, data } };
        expect(decodePart(message)).toEqual(expected);
        const generated = create(SendSnapshotRequestSchema, {
          part: { case: "data", value: { ...header, offset: BigInt(header.offset), data } },
        });
        expect(decodePart(toBinary(SendSnapshotRequestSchema, generated))).toEqual(expected);
      }),
    );
  });

  test("makes a part or TRANSPORT_FRAME_INVALID of any bytes", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 60 }).map((tail) => Uint8Array.from([0x12, tail.length, ...tail])),
    );
    fc.assert(
      fc.property(bytes, (any) => {
        try {
          decodePart(any);
        } catch (error) {
          expect(error).toMatchObject({ code: "TRANSPORT_FRAME_INVALID" });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("frames of a snapshot", () => {
  test("come out the same however the bytes are cut, while their memory is used again", () => {
    const sizes = fc.constantFrom(0, 1, 100, 256 * 1024 + 64, 256 * 1024 + 65, 600_000);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(sizes, fc.nat(255)), { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1 }),
        (sent, cuts) => {
          const bytes = Buffer.concat(sent.map(([size, fill]) => frameOf(new Uint8Array(size).fill(fill))));
          const frames = new SnapshotFrames(1024 * 1024);
          const received: [number, boolean][] = [];
          for (let at = 0, i = 0; at < bytes.length; i++) {
            const end = at + (cuts[i % cuts.length] ?? 1);
            frames.push(bytes.subarray(at, end), (frame) => {
              const fill = sent[received.length]?.[1] ?? -1;
              received.push([frame.length, frame.every((byte) => byte === fill)]);
              frames.giveBack(frame);
            });
            at = end;
          }
          expect(received).toEqual(sent.map(([size]) => [size, true]));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("do not share memory while they are in use", () => {
    const frames = new SnapshotFrames(1024);
    const received: Uint8Array[] = [];
    for (const fill of [1, 2, 3]) frames.push(frameOf(new Uint8Array(10).fill(fill)), (frame) => received.push(frame));
    expect(received.map((frame) => frame[0])).toEqual([1, 2, 3]);
  });

  test("are refused by their length alone, and with flags", () => {
    const tooLarge = expect.objectContaining({ code: "TRANSPORT_FRAME_TOO_LARGE" });
    expect(() => new SnapshotFrames(10).push(Buffer.from([0, 0, 0, 0, 11]), () => {})).toThrow(tooLarge);
    const invalid = expect.objectContaining({ code: "TRANSPORT_FRAME_INVALID" });
    expect(() => new SnapshotFrames(10).push(Buffer.from([1, 0, 0, 0, 1]), () => {})).toThrow(invalid);
  });
});
