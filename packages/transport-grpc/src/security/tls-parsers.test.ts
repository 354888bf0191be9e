// Certificates and keys as files have them after an accident: usable, or TRANSPORT_TLS_INVALID.
import { X509Certificate } from "node:crypto";
import { RaftoralError } from "@raftoral/raft-core";
import { damaged, EDIT_KINDS } from "@raftoral/raft-core/testing";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { CertificateAuthority, type IssuedCertificate } from "../testing/certificate-authority.ts";
import { objectionTo } from "./certificate-names.ts";
import { checkTlsOptions, readMaterial, secureContext, type TlsOptions } from "./tls-options.ts";

const edits = fc.array(fc.record({ kind: fc.constantFrom(...EDIT_KINDS), at: fc.nat(), value: fc.nat() }), {
  minLength: 1,
  maxLength: 3,
});

let authority: CertificateAuthority;
let node: IssuedCertificate;
beforeAll(async () => {
  authority = await CertificateAuthority.create();
  node = await authority.node(1);
});

/** Whether OpenSSL takes it. Anything but the one refusal is thrown again. */
function isUsable(options: unknown): boolean {
  try {
    checkTlsOptions(options as TlsOptions);
    secureContext(readMaterial(options as TlsOptions), undefined);
    return true;
  } catch (error) {
    if (error instanceof RaftoralError && error.code === "TRANSPORT_TLS_INVALID") return false;
    throw error;
  }
}

describe("what is said about TLS", () => {
  test.each(["ca", "cert", "key"] as const)("with a damaged %s is usable or refused", (which) => {
    const whole: Readonly<Record<"ca" | "cert" | "key", string>> = { ca: authority.ca, cert: node.cert, key: node.key };
    expect(isUsable(whole)).toBe(true);
    let refused = 0;
    const property = fc.property(edits, (chosen) => {
      const bytes = damaged(Buffer.from(whole[which]), chosen);
      if (!isUsable({ ...whole, [which]: bytes })) refused += 1;
    });
    fc.assert(property, { numRuns: 300 });
    expect(refused).toBeGreaterThan(30);
  });

  test("of any shape is usable or refused", () => {
    const source = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom<unknown>("", "/nowhere.pem", {}, [], [null], [[]], 1, new Uint8Array(3)),
    );
    const key = fc.constantFrom("ca", "cert", "key", "crl", "passphrase", "serverName", "reloadIntervalMs", "x");
    const shape = fc.uniqueArray(fc.tuple(key, source), { maxLength: 4, selector: ([name]) => name });
    const property = fc.property(fc.boolean(), shape, (isWhole, entries) => {
      const whole = isWhole ? { ca: authority.ca, cert: node.cert, key: node.key } : {};
      isUsable({ ...whole, ...Object.fromEntries(entries) });
    });
    fc.assert(property, { numRuns: 1000 });
    for (const nothing of [null, 1, "ca", [], true]) expect(isUsable(nothing)).toBe(false);
  });
});

test("a damaged certificate that still is one names a node or is objected to", () => {
  const der = new X509Certificate(node.cert).raw;
  let read = 0;
  const property = fc.property(edits, (chosen) => {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(Buffer.from(damaged(der, chosen)));
    } catch {
      // OpenSSL ends the handshake over it.
      return;
    }
    read += 1;
    objectionTo(certificate, { nodeId: 1, clusterNames: ["default"], address: "127.0.0.1:5001" });
  });
  fc.assert(property, { numRuns: 1500 });
  expect(read).toBeGreaterThan(20);
});
