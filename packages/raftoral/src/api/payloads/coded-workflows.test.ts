import type { PayloadCodec } from "@raftoral/workflow";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RaftoralClient } from "../../client/raftoral-client.ts";
import { encryption } from "../../codecs/encryption.ts";
import { failing, order, strict } from "../../testing/conformance-workflows.ts";
import { TestCluster } from "../../testing/test-cluster.ts";
import { Payload } from "./payload.ts";

const k1 = new Uint8Array(32).fill(1);
const k2 = new Uint8Array(32).fill(2);
const keys = { k1, k2 };
const NEEDS = { code: "PAYLOAD_UNREADABLE", details: { codec: "encryption", metadata: { keyId: "k1" } } };

let cluster: TestCluster;
let address: string;
const clients: RaftoralClient[] = [];
async function client(payloadCodec?: PayloadCodec): Promise<RaftoralClient> {
  const connected = await RaftoralClient.connect(address, {
    pinned: true,
    ...(payloadCodec === undefined ? {} : { payloadCodec }),
  });
  clients.push(connected);
  return connected;
}
beforeAll(async () => {
  const payloadCodec = encryption({ keys, activeKeyId: "k1" });
  cluster = await TestCluster.create("grpc", [order, failing, strict], { payloadCodec });
  const { nodes } = await cluster.form(1);
  address = nodes[0]?.address ?? "";
});
afterAll(async () => {
  for (const each of clients) each.close();
  await cluster.dispose();
});

describe("a client without the codec of a cluster", () => {
  test("sees which codec and key a value needs, and everything that is no value", async () => {
    const { workflows } = await client();
    // What it gives is plain, and what the body makes of it is not.
    const run = await workflows.start(order, { item: "tea", total: 20 });
    const ended = await run.wait();
    expect(ended.status).toBe("completed");
    if (ended.status === "completed") {
      expect(ended.result.contentType).toBe("application/json");
      expect(ended.result.encoded).toMatchObject({ codecs: [{ codec: "encryption", metadata: { keyId: "k1" } }] });
      expect(() => ended.result.value()).toThrow(
        expect.objectContaining({ ...NEEDS, details: expect.objectContaining(NEEDS.details) }),
      );
      expect(JSON.parse(JSON.stringify(ended.result))).toEqual({ encoded: ended.result.encoded });
    }
    await expect(run.result()).rejects.toMatchObject(NEEDS);
    expect((await run.input()).value()).toEqual({ item: "tea", total: 20 });
    const history = await Array.fromAsync(run.history());
    expect(history.map(({ path, kind, value }) => [path, kind, value.encoded !== undefined])).toEqual([
      ["price#0", "step", true],
      ["nothing#0", "step", false],
    ]);
  });

  test("sees name and code of a failure", async () => {
    const { workflows } = await client();
    const run = await workflows.start(failing, "error");
    const sealed = { name: "TypeError", code: "42", message: expect.stringContaining("are encoded") };
    await expect(run.result()).rejects.toMatchObject({ failure: sealed });
    const { error } = await run.describe();
    expect(error).toMatchObject(sealed);
    expect(JSON.stringify(error)).not.toContain("no such item");
    const { workflows: reader } = await client(encryption({ keys, activeKeyId: "k1" }));
    expect(await reader.describe(run.runId)).toMatchObject({ error: { message: "no such item" } });
  });

  test("passes a value on that it cannot read", async () => {
    const { workflows: writer } = await client(encryption({ keys, activeKeyId: "k1" }));
    const first = await writer.start(order, { item: "tea", total: 20 });
    const { workflows } = await client();
    const passed = await workflows.start(order, await workflows.input(first.runId));
    expect(await writer.result(passed.runId)).toEqual({ item: "tea", price: 40 });
  });
});

describe("keys that are rotated", () => {
  test("change nothing for who knows both: what is there is read, and a repeated start is known", async () => {
    const { workflows: before } = await client(encryption({ keys: { k1 }, activeKeyId: "k1" }));
    const { workflows: after } = await client(encryption({ keys, activeKeyId: "k2" }));
    const input = { item: "tea", total: 20 };
    const first = await before.start(order, input, { runId: "rotated" });
    expect((await after.start(order, { total: 20, item: "tea" }, { runId: "rotated" })).created).toBe(false);
    await expect(after.start(order, { item: "tea", total: 21 }, { runId: "rotated" })).rejects.toMatchObject({
      code: "WORKFLOW_ID_CONFLICT",
    });
    expect(await first.result()).toEqual({ item: "tea", price: 40 });
    // The old client lacks the new key, and reads everything else.
    const second = await after.start(order, input);
    expect(await before.result(second.runId)).toEqual({ item: "tea", price: 40 });
    await expect(before.input(second.runId).then((value) => value.value())).rejects.toMatchObject({
      code: "PAYLOAD_UNREADABLE",
      details: { metadata: { keyId: "k2" } },
    });
  });
});

test("a value that cannot be encoded fails its call, and nothing is sent", async () => {
  const away: PayloadCodec = {
    name: "away",
    encode: () => Promise.reject(new Error("the key service is away")),
    decode: (bytes) => bytes,
  };
  const { workflows } = await client(away);
  const failed = { code: "PAYLOAD_CODEC_FAILED", retryable: true, message: expect.stringContaining("is away") };
  await expect(workflows.start(order, { item: "tea", total: 20 }, { runId: "unsent" })).rejects.toMatchObject(failed);
  const { workflows: plain } = await client();
  await expect(plain.describe("unsent")).rejects.toMatchObject({ code: "WORKFLOW_NOT_FOUND" });
});

test("a schema checks an input that its node can decode, and leaves another to the body's node", async () => {
  const { workflows } = await client(encryption({ keys, activeKeyId: "k1" }));
  await expect(workflows.start("strict", 12)).rejects.toMatchObject({ code: "INPUT_INVALID" });
  const k3 = new Uint8Array(32).fill(3);
  const { workflows: stranger } = await client(encryption({ keys: { k3 }, activeKeyId: "k3" }));
  const run = await stranger.start("strict", 12);
  await expect
    .poll(() => run.describe())
    .toMatchObject({ status: "stuck", stuckReason: "code-mismatch", stuckDetail: expect.stringContaining("k3") });
});

test.each<[string, unknown]>([
  ["a text", "encryption"],
  ["what cannot decode", { name: "x", encode: () => undefined }],
])("an option payloadCodec that is %s is refused", async (_, payloadCodec) => {
  const options = { payloadCodec: payloadCodec as PayloadCodec };
  const refused = { code: "OPTIONS_INVALID", details: { option: "payloadCodec" } };
  await expect(RaftoralClient.connect(address, options)).rejects.toMatchObject(refused);
  await expect(cluster.start({ ...cluster.place(), ...options, bootstrap: true })).rejects.toMatchObject(refused);
});

test("a damaged envelope is told, and shown as what it is", () => {
  const payload = Payload.ofBytes(Uint8Array.of(0xff, 0x52, 0x50, 0x01, 0xff), "it");
  expect(() => payload.value()).toThrow(expect.objectContaining({ code: "PAYLOAD_UNREADABLE" }));
  expect(payload.toJSON()).toEqual({
    encoded: { contentType: "application/octet-stream", encodedBytes: 5, codecs: [] },
  });
});
