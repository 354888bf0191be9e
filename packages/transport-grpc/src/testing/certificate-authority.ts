/**
 * A certificate authority for tests: makes certificates of any age, name and signature in memory, with nothing but WebCrypto.
 *
 * Not for anything but tests: its keys are made each time and kept nowhere.
 */
import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 24 * 60 * 60 * 1000;
const CA_USES = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign;

/** What a certificate says; what is left out is as a node or client in order would have it. */
export interface CertificateRequest {
  /** `dns:`, `ip:` or `uri:` and the name, e.g. `ip:127.0.0.1`. */
  readonly names: readonly string[];
  readonly commonName?: string;
  /** Days from now (from yesterday). */
  readonly fromDays?: number;
  /** Days from now (until in a month). */
  readonly untilDays?: number;
}

/** PEM texts as the `tls` options take them. */
export interface IssuedCertificate {
  readonly cert: string;
  readonly key: string;
  /** For {@link CertificateAuthority.revocations}. */
  readonly serial: string;
}

/** An authority that signs certificates for tests. */
export class CertificateAuthority {
  /** The authority's own certificate, PEM. */
  readonly ca: string;
  readonly #certificate: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;
  #serial = 1;

  static async create(commonName = "test authority"): Promise<CertificateAuthority> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      serialNumber: "01",
      name: `CN=${commonName}`,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 365 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [new BasicConstraintsExtension(true, undefined, true), new KeyUsagesExtension(CA_USES, true)],
    });
    return new CertificateAuthority(certificate, keys);
  }

  private constructor(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.ca = certificate.toString("pem");
  }

  async issue(request: CertificateRequest): Promise<IssuedCertificate> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    this.#serial += 1;
    const certificate = await X509CertificateGenerator.create({
      serialNumber: this.#serial.toString(16).padStart(4, "0"),
      subject: `CN=${request.commonName ?? "test"}`,
      issuer: this.#certificate.subject,
      notBefore: new Date(Date.now() + (request.fromDays ?? -1) * DAY_MS),
      notAfter: new Date(Date.now() + (request.untilDays ?? 30) * DAY_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        new SubjectAlternativeNameExtension(request.names.map(generalName)),
      ],
    });
    const key = PemConverter.encode(await crypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
    return { cert: certificate.toString("pem"), key, serial: certificate.serialNumber };
  }

  /** A node's certificate: reached at 127.0.0.1 and localhost, entitled to be node `nodeId` of `cluster`. */
  node(nodeId: number, cluster = "default"): Promise<IssuedCertificate> {
    return this.issue({
      commonName: `node ${nodeId}`,
      names: ["ip:127.0.0.1", "dns:localhost", `uri:raftoral://${cluster}/node/${nodeId}`],
    });
  }

  /** A client's certificate: no node, nowhere. */
  client(name = "alice"): Promise<IssuedCertificate> {
    return this.issue({ commonName: name, names: [`uri:raftoral://default/client/${name}`] });
  }

  /** A revocation list of this authority, PEM. */
  async revocations(...revoked: readonly IssuedCertificate[]): Promise<string> {
    const list = await X509CrlGenerator.create({
      issuer: this.#certificate.subject,
      thisUpdate: new Date(Date.now() - DAY_MS),
      nextUpdate: new Date(Date.now() + 30 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      signingKey: this.#keys.privateKey,
      entries: revoked.map(({ serial }) => ({ serialNumber: serial, revocationDate: new Date(Date.now() - 1000) })),
    });
    return PemConverter.encode(list.rawData, "X509 CRL");
  }
}

/** Files of `contents` in a new folder, by name, and how to be rid of it. */
export async function filesOf<Name extends string>(
  contents: Readonly<Record<Name, string>>,
): Promise<{ readonly folder: string; readonly paths: Record<Name, string>; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "raftoral-tls-"));
  const paths = {} as Record<Name, string>;
  for (const [name, content] of Object.entries<string>(contents)) {
    const path = join(folder, `${name}.pem`);
    await writeFile(path, content);
    paths[name as Name] = path;
  }
  return { folder, paths, remove: () => rm(folder, { recursive: true, force: true }) };
}

function generalName(text: string): JsonGeneralName {
  const type = text.slice(0, text.indexOf(":"));
  const value = text.slice(type.length + 1);
  if (type === "dns" || type === "ip") return { type, value };
  return { type: "url", value };
}
