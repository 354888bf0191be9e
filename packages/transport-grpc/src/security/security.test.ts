// What is said about TLS, and what follows from saying nothing.
import { beforeAll, describe, expect, test } from "vitest";
import { parseAddress } from "../address.ts";
import { RaftClient } from "../client/raft-client.ts";
import { GrpcClusterTransport } from "../grpc-cluster-transport.ts";
import { startGrpcServer } from "../server/start-grpc-server.ts";
import { CertificateAuthority, type IssuedCertificate } from "../testing/certificate-authority.ts";
import { Security } from "./security.ts";
import type { TlsOptions } from "./tls-options.ts";

let authority: CertificateAuthority;
let node: IssuedCertificate;
beforeAll(async () => {
  authority = await CertificateAuthority.create();
  node = await authority.node(1);
});

const REFUSED = expect.objectContaining({ code: "TRANSPORT_PLAINTEXT_REFUSED" });

describe("plaintext is spoken only when asked for", () => {
  test.each(["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "[::ffff:127.0.0.1]:1"])(
    "with %s, which does not leave the machine",
    (address) => {
      new Security(undefined).check(parseAddress(address), "connect to");
    },
  );

  test.each([
    "10.0.0.1:1",
    "0.0.0.0:1",
    "[::]:1",
    "[2001:db8::1]:1",
    "db.example.com:1",
    "localhost.example.com:1",
    "128.0.0.1:1",
  ])("not with %s", (address) => {
    const check = (tls: TlsOptions | false | undefined) => () =>
      new Security(tls).check(parseAddress(address), "connect to");
    expect(check(undefined)).toThrow(REFUSED);
    expect(check(false)).not.toThrow();
    expect(check({ ca: authority.ca })).not.toThrow();
  });

  test("by servers, peers and clients", async () => {
    const transport = new GrpcClusterTransport([]);
    await expect(startGrpcServer("0.0.0.0:0", transport, 1)).rejects.toThrow(REFUSED);
    expect(() => transport.addNode({ nodeId: 2, address: "10.0.0.2:5001" })).toThrow(REFUSED);
    expect(() => new GrpcClusterTransport([{ nodeId: 2, address: "10.0.0.2:5001" }])).toThrow(REFUSED);
    await expect(RaftClient.connect("10.0.0.2:5001")).rejects.toThrow(REFUSED);
    transport.addNode({ nodeId: 1, address: "127.0.0.1:5001" });
    expect(() => transport.peer(1).checkAddress("10.0.0.2:5001")).toThrow(REFUSED);
    expect(() => transport.peer(1).setPeer(2, "10.0.0.2:5001")).toThrow(REFUSED);
    const open = new GrpcClusterTransport([{ nodeId: 2, address: "10.0.0.2:5001" }], { tls: false });
    expect(open.security.authority(parseAddress("10.0.0.2:5001"))).toBe("http://10.0.0.2:5001");
  });
});

describe("certificates that cannot be used are refused at the start, with the option's name", () => {
  const cases: readonly (readonly [string, () => unknown, string])[] = [
    ["no authority", () => ({}), "tls.ca is missing"],
    ["a file that is not there", () => ({ ca: "/nowhere/ca.pem" }), "tls.ca cannot be read"],
    ["no PEM", () => ({ ca: Buffer.from("hello") }), "tls.ca has no certificate"],
    [
      "a certificate without its key",
      () => ({ ca: authority.ca, cert: node.cert }),
      "tls.cert and tls.key go together",
    ],
    ["a key that is none", () => ({ ca: authority.ca, cert: node.cert, key: node.cert }), "tls.key cannot be read"],
    ["a typing mistake", () => ({ ca: authority.ca, certificate: node.cert }), "tls.certificate is not an option"],
    ["a list that is none", () => ({ ca: authority.ca, crl: authority.ca }), "revocation list cannot be used"],
    ["an interval that is none", () => ({ ca: authority.ca, reloadIntervalMs: -1 }), "reloadIntervalMs must be"],
    ["text instead of options", () => "yes", "tls must be an object"],
  ];
  test.each(cases)("%s", (_, options, message) => {
    expect(() => new Security(options() as TlsOptions)).toThrow(
      expect.objectContaining({ code: "TRANSPORT_TLS_INVALID", message: expect.stringContaining(message) }),
    );
  });

  test("another certificate's key, and one that has expired", async () => {
    const other = await authority.node(2);
    const expired = await authority.issue({ names: ["ip:127.0.0.1"], untilDays: -0.5 });
    const make =
      ({ cert, key }: { cert: string; key: string }) =>
      () =>
        new Security({ ca: authority.ca, cert, key });
    expect(make({ cert: node.cert, key: other.key })).toThrow("tls.key is not the key of tls.cert");
    expect(make(expired)).toThrow("expired");
  });

  test("a node without one of its own", async () => {
    const transport = new GrpcClusterTransport([], { tls: { ca: authority.ca } });
    await expect(startGrpcServer("127.0.0.1:0", transport, 1)).rejects.toMatchObject({
      code: "TRANSPORT_TLS_INVALID",
      message: expect.stringContaining("needs a certificate of its own"),
    });
  });
});
