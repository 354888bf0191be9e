import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeSnapshotHeader, type SnapshotHeader, splitHeader, withHeader } from "./snapshot-header.ts";

const header: SnapshotHeader = {
  sessions: [[7, 3, 21, [4, 6]]],
  members: { addresses: [{ nodeId: 1, address: "127.0.0.1:5001" }], highestNodeId: 4 },
};

/** The bytes of `chunks`, cut again at the given sizes. */
async function* recut(chunks: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += size) yield chunk.slice(at, at + size);
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

test("header and content come apart again, wherever the chunks were cut", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.integer({ min: 1, max: 200 }), async (content, size) => {
      const chunks = recut(withHeader(header, one(content)), size);
      const { header: found, rest } = await splitHeader(chunks);
      expect(found).toMatchObject(header);
      const bytes: number[] = [];
      for await (const chunk of rest) bytes.push(...chunk);
      expect(bytes).toEqual([...content]);
    }),
  );
});

test("content that ends inside the header is refused", async () => {
  const bytes = encodeSnapshotHeader(header);
  await expect(splitHeader(one(bytes.slice(0, -1)))).rejects.toMatchObject({ code: "CODEC_INVALID" });
  await expect(splitHeader(one(bytes.slice(0, 2)))).rejects.toMatchObject({ code: "CODEC_INVALID" });
});

test("a length that only corruption can produce is refused before memory is set aside", async () => {
  await expect(splitHeader(one(new Uint8Array([255, 255, 255, 255, 1])))).rejects.toMatchObject({
    code: "CODEC_INVALID",
  });
});

test("a generator's state is captured at the call, not when the content is read", async () => {
  const state = { text: "as it was" };
  async function* snapshot(): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(state.text);
  }
  const content = withHeader(header, snapshot());
  state.text = "as it became";
  const { rest } = await splitHeader(content[Symbol.asyncIterator]());
  let text = "";
  for await (const chunk of rest) text += new TextDecoder().decode(chunk);
  expect(text).toBe("as it was");
});

test("a header that is not JSON is refused as such", async () => {
  const chunks = one(Uint8Array.from([0, 0, 0, 2, 0x7b, 0xff]));
  await expect(splitHeader(chunks)).rejects.toMatchObject({ code: "CODEC_INVALID" });
});
