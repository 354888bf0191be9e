import { X509Certificate } from "node:crypto";
import { beforeAll, expect, test } from "vitest";
import { CertificateAuthority } from "../testing/certificate-authority.ts";
import { coversHost, nodeIdIn, objectionTo, urisOf } from "./certificate-names.ts";

let authority: CertificateAuthority;
beforeAll(async () => {
  authority = await CertificateAuthority.create();
});

async function certificate(names: readonly string[], commonName?: string): Promise<X509Certificate> {
  const { cert } = await authority.issue({ names, ...(commonName === undefined ? {} : { commonName }) });
  return new X509Certificate(cert);
}

const CLAIM = { nodeId: 2, clusterNames: ["orders"], address: "two.example.com:5001" };

test("reads URIs whole, also those made to look like several names", async () => {
  const trap = 'raftoral://orders/node/9, URI:raftoral://orders/node/2"';
  const names = ["dns:two.example.com", `uri:${trap}`, "uri:raftoral://orders/node/3"];
  const made = await certificate(names);
  expect(urisOf(made)).toEqual([trap, "raftoral://orders/node/3"]);
  expect(objectionTo(made, CLAIM)).toContain("does not have the name raftoral://orders/node/2");
});

test.each([
  ["raftoral://orders/node/2", true],
  ["raftoral://other/node/2", false],
  ["raftoral://orders/node/02", false],
  ["raftoral://orders/node/2/", false],
  ["raftoral://orders/node/22", false],
  ["raftoral://orders/client/2", false],
  ["raftoral://orders/node/2x", false],
  ["RAFTORAL://orders/node/2", false],
])("%s speaks as node 2 of orders: %s", async (uri, isAllowed) => {
  // With a host that would not do for it.
  expect(objectionTo(await certificate([`uri:${uri}`, "dns:elsewhere.example.com"]), CLAIM) === undefined).toBe(
    isAllowed,
  );
});

test("several ids, several clusters, and names for the cluster all count", async () => {
  const made = await certificate(["uri:raftoral://orders/node/2", "uri:raftoral://orders/node/3"]);
  expect(objectionTo(made, { ...CLAIM, nodeId: 3 })).toBeUndefined();
  expect(nodeIdIn(made, ["orders"])).toBeUndefined();
  expect(nodeIdIn(await certificate(["uri:raftoral://orders/node/2"]), ["orders"])).toBe(2);
  expect(objectionTo(made, { ...CLAIM, clusterNames: ["orders-0a1b2c3d4e5f", "orders"] })).toBeUndefined();
});

test("without a raftoral URI the host of the node's address decides", async () => {
  expect(objectionTo(await certificate(["dns:two.example.com", "uri:https://x.example.com"]), CLAIM)).toBeUndefined();
  expect(objectionTo(await certificate(["dns:*.example.com"]), CLAIM)).toBeUndefined();
  expect(objectionTo(await certificate(["dns:three.example.com"]), CLAIM)).toContain("not made out to the host");
  expect(objectionTo(await certificate(["ip:10.0.0.2"]), { ...CLAIM, address: "10.0.0.2:1" })).toBeUndefined();
  expect(objectionTo(await certificate(["ip:10.0.0.2"]), { ...CLAIM, address: "10.0.0.3:1" })).toContain(
    "not made out",
  );
  expect(objectionTo(await certificate(["dns:two.example.com"]), { ...CLAIM, address: undefined })).toContain(
    "names no node",
  );
});

test("a client's URI makes it none, whatever hosts it names; the common name counts for nothing", async () => {
  const client = await certificate(["dns:two.example.com", "uri:raftoral://orders/client/alice"]);
  expect(objectionTo(client, CLAIM)).toContain("does not have the name");
  expect(coversHost(await certificate([], "two.example.com"), "two.example.com")).toBe(false);
});
