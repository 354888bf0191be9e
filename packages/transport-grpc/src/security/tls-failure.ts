/** What a failed connection means, in words that say what to do. */
import { RaftoralError, TransportError } from "@raftoral/raft-core";

/** OpenSSL's and Node's codes, and what is behind them. Codes that are not here are shown as they are. */
const MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired; have it renewed",
  CERT_NOT_YET_VALID: "its certificate is not valid yet; look at the clocks of both machines",
  CERT_REVOKED: "its certificate was revoked",
  CERT_SIGNATURE_FAILURE: "its certificate is not signed by an authority of tls.ca",
  CERT_UNTRUSTED: "its certificate is not signed by an authority of tls.ca",
  CRL_HAS_EXPIRED: "the revocation list of tls.crl is out of date; fetch a new one",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by itself, not by an authority of tls.ca",
  ERR_SSL_PACKET_LENGTH_TOO_LONG:
    "it does not speak TLS; start it with certificates, or ask for plaintext with tls: false",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "it does not speak TLS 1.3",
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: "it asks for a certificate; give tls.cert and tls.key",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "it does not speak TLS 1.3",
  ERR_SSL_WRONG_VERSION_NUMBER:
    "it does not speak TLS; start it with certificates, or ask for plaintext with tls: false",
  INVALID_PURPOSE:
    "its certificate is not made for this use; it needs server and client authentication as extended key usage",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not signed by an authority of tls.ca",
  UNABLE_TO_GET_CRL: "tls.crl has no list of the authority that signed its certificate",
  UNABLE_TO_GET_ISSUER_CERT: "its certificate is not signed by an authority of tls.ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is not signed by an authority of tls.ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not signed by an authority of tls.ca",
};

/** Why a certificate was not believed, or a handshake failed: the meaning of a code, or the code itself. */
export function meaningOf(code: string): string {
  return MEANINGS[code] ?? code;
}

/** TRANSPORT_TLS_FAILED if that is what `error`, or what caused it, is about; undefined for any other failure. */
export function tlsFailure(error: unknown, address: string): TransportError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof TransportError && cause.code === "TRANSPORT_TLS_FAILED") return cause;
    if (cause instanceof RaftoralError || !("code" in cause) || typeof cause.code !== "string") continue;
    const { code } = cause;
    const details = { address, reason: code };
    if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
      return new TransportError("TRANSPORT_TLS_FAILED", `No encrypted connection: ${cause.message}.`, {
        cause: error,
        details,
      });
    }
    const meaning = MEANINGS[code];
    if (meaning === undefined && !code.startsWith("ERR_SSL_")) continue;
    const text = meaning ?? `the handshake failed (${code}: ${cause.message})`;
    return new TransportError("TRANSPORT_TLS_FAILED", `No encrypted connection to ${address}: ${text}.`, {
      cause: error,
      details,
    });
  }
  return undefined;
}

/** What a log says of a failed connection. */
export function failureText(error: Error, address: string): string {
  return tlsFailure(error, address)?.message ?? error.message;
}
