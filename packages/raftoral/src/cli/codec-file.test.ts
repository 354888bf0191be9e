import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { CONFORMANCE_WORKFLOWS } from "../testing/conformance-workflows.ts";
import { raftoral } from "../testing/run-cli.ts";
import { TestCluster } from "../testing/test-cluster.ts";

const codecFile = `
const flip = (bytes) => bytes.map((byte) => ~byte);
export default [{ name: "flip", encode: (bytes) => ({ bytes: flip(bytes), metadata: { keyId: "k1" } }), decode: flip }];
`;
const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => ~byte);
const payloadCodec = [
  { name: "flip", encode: (bytes: Uint8Array) => ({ bytes: flip(bytes), metadata: { keyId: "k1" } }), decode: flip },
];

let folder: string;
let cluster: TestCluster;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "raftoral-codec-"));
  await writeFile(join(folder, "codec.mjs"), codecFile);
  cluster = await TestCluster.create("grpc", CONFORMANCE_WORKFLOWS, { payloadCodec });
  const { nodes } = await cluster.form(1);
  env = { RAFTORAL_NODE: nodes[0]?.address ?? "" };
});
afterAll(async () => {
  await cluster.dispose();
  await rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  delete env.RAFTORAL_CODEC;
});

const file = (name: string): string => join(folder, name);
const order = ["run", "order", "--input", '{"item":"tea","total":20}', "--wait"];

test("values are read and written with the codecs of a file", async () => {
  const codec = ["--codec", file("codec.mjs")];
  const { out, code } = await raftoral([...order, "--id", "a", ...codec], env);
  expect([code, JSON.parse(out)]).toEqual([0, { item: "tea", price: 40 }]);
  const shown = await raftoral(["show", "a", ...codec], env);
  expect(shown.out).toContain('{"item":"tea","total":20}');
  expect(shown.out).toMatch(/price#0 +step +\S+ +40/);
  const json = JSON.parse((await raftoral(["show", "a", "--json", ...codec], env)).out) as { input: unknown };
  expect(json.input).toEqual({ item: "tea", total: 20 });
});

test("without the codecs, content type, size and codec of a value are shown, and nothing of the value", async () => {
  await raftoral([...order, "--id", "b", "--codec", file("codec.mjs")], env);
  const shown = await raftoral(["show", "b"], env);
  expect(shown.code).toBe(0);
  expect(shown.out).toMatch(/Input: +encoded by flip \(keyId k1\), \d+ bytes, application\/json/);
  expect(shown.out).not.toContain("\ufffd");
  const json = JSON.parse((await raftoral(["show", "b", "--json"], env)).out) as { input: unknown };
  expect(json.input).toEqual({
    encoded: {
      contentType: "application/json",
      encodedBytes: expect.any(Number),
      codecs: [{ codec: "flip", metadata: { keyId: "k1" } }],
    },
  });
  const events = await raftoral(["events", "--values"], env);
  expect([events.code, events.err]).toEqual([0, ""]);
  expect(events.out).toContain("encoded");
  // What asks for the value says what is missing.
  const waited = await raftoral([...order, "--id", "b", "--if-exists", "replace"], env);
  expect(waited.code).toBe(1);
  expect(waited.err).toContain("flip (keyId k1)");
});

test("the environment names the file as well", async () => {
  env.RAFTORAL_CODEC = file("codec.mjs");
  expect((await raftoral([...order, "--id", "c"], env)).code).toBe(0);
});

test.each([
  ["that is not there", "none.mjs", undefined, "cannot be loaded"],
  ["without a default export", "named.mjs", "export const codec = {};", "has no default export"],
  ["of what is no codec", "other.mjs", "export default { name: 'x' };", "lacks encode or decode"],
])("a file %s is refused", async (_, name, content, problem) => {
  if (content !== undefined) await writeFile(file(name), content);
  const { code, err } = await raftoral(["show", "a", "--codec", file(name)], env);
  expect([code, err]).toEqual([2, expect.stringContaining(problem)]);
});

test("a node is started with the codecs of a file, that of a configuration file among them", async () => {
  const { started } = await raftoral(["start", "--codec", "codec.mjs"]);
  expect(started?.codecFile).toBe("codec.mjs");
  await writeFile(file("node.json"), JSON.stringify({ codec: "codec.mjs" }));
  expect((await raftoral(["start", "--config", file("node.json")])).started?.codecFile).toBe(file("codec.mjs"));
  await writeFile(file("bad.json"), JSON.stringify({ codec: 7 }));
  expect((await raftoral(["start", "--config", file("bad.json")])).code).toBe(2);
});
