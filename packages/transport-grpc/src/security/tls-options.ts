/** What a user says about TLS, and the bytes behind it. */
import { constants, createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext, type SecureContext } from "node:tls";
import { TransportError } from "@raftoral/raft-core";

/** PEM itself, as text that has a `-----BEGIN`, or as bytes; other text is the path of a file that has it. */
export type PemSource = string | Uint8Array;

/** Defaults in parentheses. TLS 1.3 is spoken, and nothing older. */
export interface TlsOptions {
  /** Whom to believe: the certificates of the authorities that sign those of nodes and clients. */
  readonly ca: PemSource | readonly PemSource[];
  /** This side's own certificate, with those between it and the authority. A node needs one; a client where nodes ask for it. */
  readonly cert?: PemSource;
  /** The key of `cert`. */
  readonly key?: PemSource;
  /** The password of `key`, if it has one. */
  readonly passphrase?: string;
  /** Revocation lists of the authorities. Where one is given, each authority needs one that is in date. */
  readonly crl?: PemSource | readonly PemSource[];
  /** Server: whether clients without a certificate are turned away (true). Peers always need one. */
  readonly requireClientCertificate?: boolean;
  /** Whom the certificates of dialled nodes are made out to, where that is not the host of the address. */
  readonly serverName?: string;
  /** How often the files are looked at for a change, in milliseconds (30,000). 0: only when told to. */
  readonly reloadIntervalMs?: number;
}

/** Names of {@link TlsOptions}, for telling a typing mistake from an option. */
export const TLS_OPTION_NAMES: readonly (keyof TlsOptions)[] = [
  "ca",
  "cert",
  "key",
  "passphrase",
  "crl",
  "requireClientCertificate",
  "serverName",
  "reloadIntervalMs",
];

/** The contents behind {@link TlsOptions}. */
export interface TlsMaterial {
  readonly ca: readonly string[];
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly crl: readonly string[];
}

/** Checks the shape of the options. Throws TRANSPORT_TLS_INVALID. */
export function checkTlsOptions(options: TlsOptions): void {
  if (typeof options !== "object" || options === null) throw invalid("tls must be an object, or false for plaintext");
  for (const name of Object.keys(options)) {
    if (!(TLS_OPTION_NAMES as readonly string[]).includes(name)) {
      throw invalid(`tls.${name} is not an option; there are ${TLS_OPTION_NAMES.join(", ")}`);
    }
  }
  if (listOf(options.ca, "tls.ca").length === 0) {
    throw invalid("tls.ca is missing: give the certificate of the authority that signs those of the nodes");
  }
  if ((options.cert === undefined) !== (options.key === undefined)) {
    throw invalid("tls.cert and tls.key go together; one of them is missing");
  }
  for (const name of ["passphrase", "serverName"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "string") throw invalid(`tls.${name} must be text`);
  }
  const { requireClientCertificate: isRequired = true } = options;
  // Taken for true or false, a mistake would let in whom it should keep out.
  if (typeof isRequired !== "boolean") throw invalid("tls.requireClientCertificate must be true or false");
  const { reloadIntervalMs: interval = 0 } = options;
  if (!Number.isSafeInteger(interval) || interval < 0) {
    throw invalid("tls.reloadIntervalMs must be a whole number of milliseconds, 0 for never");
  }
}

/** Reads all of it, at once: a few small files, at the start and when they are looked at for a change. Throws TRANSPORT_TLS_INVALID. */
export function readMaterial(options: TlsOptions): TlsMaterial {
  return {
    ca: listOf(options.ca, "tls.ca").map((source) => pem(source, "tls.ca")),
    cert: options.cert === undefined ? undefined : pem(options.cert, "tls.cert"),
    key: options.key === undefined ? undefined : pem(options.key, "tls.key"),
    crl: listOf(options.crl, "tls.crl").map((source) => pem(source, "tls.crl")),
  };
}

/** What OpenSSL makes of it. Throws TRANSPORT_TLS_INVALID for what does not fit together, or is out of date. */
export function secureContext(material: TlsMaterial, passphrase: string | undefined): SecureContext {
  const { ca, cert, key, crl } = material;
  for (const text of ca) {
    // OpenSSL takes a list without a certificate in silence, and would then trust no certificate.
    certificateIn(text, "tls.ca");
  }
  if (cert !== undefined && key !== undefined) checkPair(cert, key, passphrase);
  try {
    return createSecureContext({
      ...contextOptions(material, passphrase),
    });
  } catch (cause) {
    const what = crl.length > 0 ? "The certificates, the key or the revocation list" : "The certificates or the key";
    throw invalid(`${what} cannot be used: ${messageOf(cause)}`, cause);
  }
}

/** For a server, which makes its context itself. */
export function contextOptions(material: TlsMaterial, passphrase: string | undefined) {
  return {
    ca: [...material.ca],
    minVersion: "TLSv1.3" as const,
    // A resumed session would bring along what was checked when it began, and live on after a reload.
    secureOptions: constants.SSL_OP_NO_TICKET,
    ...(material.cert === undefined ? {} : { cert: material.cert, key: material.key }),
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(material.crl.length === 0 ? {} : { crl: [...material.crl] }),
  };
}

/** Whether two readings are of the same bytes. */
export function isSameMaterial(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.cert === b.cert && a.key === b.key && !isOtherTrust(a, b);
}

/** Whether whom to believe has changed, not only this side's own certificate. */
export function isOtherTrust(a: TlsMaterial, b: TlsMaterial): boolean {
  return a.ca.join("\n") !== b.ca.join("\n") || a.crl.join("\n") !== b.crl.join("\n");
}

function checkPair(cert: string, key: string, passphrase: string | undefined): void {
  const certificate = certificateIn(cert, "tls.cert");
  let isPair: boolean;
  try {
    isPair = certificate.checkPrivateKey(
      createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) }),
    );
  } catch (cause) {
    throw invalid(`tls.key cannot be read: ${messageOf(cause)}. It must be a private key in PEM`, cause);
  }
  if (!isPair) throw invalid("tls.key is not the key of tls.cert; give the key that the certificate was made for");
  if (certificate.validToDate.getTime() < Date.now()) {
    throw invalid(`the certificate of tls.cert expired on ${certificate.validTo}; have it renewed`);
  }
}

function certificateIn(text: string, option: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw invalid(`${option} has no certificate that can be read: ${messageOf(cause)}. It must be PEM`, cause);
  }
}

function pem(source: PemSource, option: string): string {
  if (source instanceof Uint8Array) return Buffer.from(source).toString("latin1");
  if (typeof source !== "string" || source === "")
    throw invalid(`${option} must be the path of a PEM file, or PEM itself`);
  if (source.includes("-----BEGIN")) return source;
  try {
    return readFileSync(source, "latin1");
  } catch (cause) {
    throw invalid(`${option} cannot be read: ${messageOf(cause)}`, cause);
  }
}

function listOf(sources: PemSource | readonly PemSource[] | undefined, option: string): readonly PemSource[] {
  if (sources === undefined) return [];
  if (typeof sources === "string" || sources instanceof Uint8Array) return [sources];
  if (Array.isArray(sources)) return sources;
  throw invalid(`${option} must be the path of a PEM file, PEM itself, or a list of those`);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function invalid(problem: string, cause?: unknown): TransportError {
  return new TransportError(
    "TRANSPORT_TLS_INVALID",
    `TLS cannot be set up: ${problem}.`,
    cause === undefined ? {} : { cause },
  );
}
