/**
 * Whether and how connections are encrypted: the one place that decides it, for servers, peers and clients.
 *
 * Invariants:
 * Y1. Plaintext is spoken only when asked for: with `tls: false`, or, where nothing is said, with loopback addresses, which do
 *     not leave the machine.
 * Y2. A connection made or taken after a reload uses what was reloaded; a reload that fails changes nothing.
 * Y3. What is dialled must have a certificate for the dialled host (or `serverName`), and must not be another node than meant.
 */
import { X509Certificate } from "node:crypto";
import type { SecureClientSessionOptions } from "node:http2";
import { isIP } from "node:net";
import type { PeerCertificate, SecureContext } from "node:tls";
import {
  type Cancel,
  type Clock,
  type Logger,
  NONE,
  type NodeId,
  RaftoralError,
  TransportError,
} from "@raftoral/raft-core";
import { formatAddress, type HostPort } from "../address.ts";
import { coversHost, isNamedByUri, namesFor, nodeIdIn, objectionTo } from "./certificate-names.ts";
import { isLoopback } from "./loopback.ts";
import {
  checkTlsOptions,
  contextOptions,
  isOtherTrust,
  isSameMaterial,
  readMaterial,
  secureContext,
  type TlsMaterial,
  type TlsOptions,
} from "./tls-options.ts";

const DEFAULT_RELOAD_MS = 30_000;

/** Which node is meant by an address. */
export interface ExpectedNode {
  readonly nodeId: NodeId;
  /** Where this side knows the node: a certificate that names no node must be good for that host as well as for the dialled one. */
  readonly knownAddress: HostPort;
}

/** What has changed with a reload. */
export interface Reloaded {
  /** Whom to believe has changed: connections that stand were checked against something else. */
  readonly isOtherTrust: boolean;
}

/** The security of one node or client (Y1 to Y3). `reload` reads certificates again. */
export class Security {
  readonly options: TlsOptions | false | undefined;
  /** What certificates call the cluster: any of these. Empty for a client, which asks any cluster. */
  readonly clusterNames: readonly string[];
  #material: TlsMaterial | undefined;
  #context: SecureContext | undefined;
  #self: { readonly nodeId: NodeId; readonly address: HostPort } | undefined;
  readonly #listeners = new Set<(reloaded: Reloaded) => void>();
  /** What the last failed look found, so that the same is logged once. */
  #lastFailure: string | undefined;

  /** Reads the files. Throws TRANSPORT_TLS_INVALID. */
  constructor(tls: TlsOptions | false | undefined, clusterNames: readonly string[] = []) {
    this.options = tls;
    this.clusterNames = clusterNames;
    if (tls === undefined || tls === false) return;
    checkTlsOptions(tls);
    this.#material = readMaterial(tls);
    this.#context = secureContext(this.#material, tls.passphrase);
  }

  get isTls(): boolean {
    return this.#context !== undefined;
  }

  /** Throws TRANSPORT_PLAINTEXT_REFUSED for an address that may not be used in plaintext (Y1). */
  check({ host, port }: HostPort, what: "listen on" | "connect to"): void {
    if (this.options !== undefined || isLoopback(host)) return;
    const address = formatAddress({ host, port });
    throw new TransportError(
      "TRANSPORT_PLAINTEXT_REFUSED",
      `Nothing was said about TLS, so this side does not ${what} ${address}: others on the network could read and change ` +
        "everything. Give tls: { ca, cert, key } (--tls-ca, --tls-cert, --tls-key), or ask for plaintext with tls: false (--plaintext).",
      { details: { address } },
    );
  }

  /** What an HTTP/2 client connects to. */
  authority(address: HostPort): string {
    return `${this.isTls ? "https" : "http"}://${formatAddress(address)}`;
  }

  /** Options of a client's session; `expected` is the node that is meant, if one is. Those of plaintext are empty. */
  clientOptions(address: HostPort, expected?: ExpectedNode): SecureClientSessionOptions {
    const context = () => this.#context;
    if (this.options === undefined || this.options === false) return {};
    const { serverName } = this.options;
    const host = serverName ?? address.host;
    return {
      // Read when a connection is made: a holder of these options connects with what was reloaded since.
      get secureContext(): SecureContext | undefined {
        return context();
      },
      minVersion: "TLSv1.3",
      ALPNProtocols: ["h2"],
      ...(isIP(host) === 0 ? { servername: host } : {}),
      checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
        this.#wrongServer(new X509Certificate(certificate.raw), host, address, expected),
    };
  }

  /** Options of a server's context; for `createSecureServer` and `setSecureContext`. Throws TRANSPORT_TLS_INVALID without a certificate. */
  serverOptions(): ReturnType<typeof contextOptions> {
    const material = this.#material;
    if (material?.cert === undefined || this.options === undefined || this.options === false) {
      throw new TransportError(
        "TRANSPORT_TLS_INVALID",
        "A node needs a certificate of its own. Give tls.cert and tls.key (--tls-cert, --tls-key).",
      );
    }
    return contextOptions(material, this.options.passphrase);
  }

  /**
   * Why others will not accept this side's certificate as that of node `nodeId` (0: of whichever) at `address`. Undefined if they
   * will, and for plaintext.
   */
  objectionToSelf(nodeId: NodeId, address: HostPort): string | undefined {
    return this.#objectionTo(this.#material?.cert, nodeId, address);
  }

  /** From now on a reload is refused if others would not accept its certificate from node `nodeId` at `address`. */
  bindTo(nodeId: NodeId, address: HostPort): void {
    this.#self = { nodeId, address };
  }

  #objectionTo(cert: string | undefined, nodeId: NodeId, address: HostPort): string | undefined {
    if (cert === undefined || this.options === undefined || this.options === false) return undefined;
    const certificate = new X509Certificate(cert);
    const host = this.options.serverName ?? address.host;
    if (!coversHost(certificate, host)) {
      return `its certificate (${namesFor(certificate)}) is not made out to ${host}, where others reach it`;
    }
    if (nodeId === NONE) return undefined;
    return objectionTo(certificate, { nodeId, clusterNames: this.clusterNames, address: formatAddress(address) });
  }

  /** The node that this side's certificate names by a URI, if it names one; 0 otherwise. */
  ownNodeId(): NodeId {
    const cert = this.#material?.cert;
    return cert === undefined ? NONE : (nodeIdIn(new X509Certificate(cert)) ?? NONE);
  }

  /** Whether a server turns away clients that show no certificate. */
  get requiresClientCertificate(): boolean {
    return this.options !== undefined && this.options !== false && this.options.requireClientCertificate !== false;
  }

  /** Reads the files again. Whether something had changed. Throws TRANSPORT_TLS_INVALID, and goes on with what it had (Y2). */
  reload(): boolean {
    const { options } = this;
    const before = this.#material;
    if (options === undefined || options === false || before === undefined) return false;
    const material = readMaterial(options);
    if (isSameMaterial(before, material)) return false;
    const context = secureContext(material, options.passphrase);
    const self = this.#self;
    const objection = self && this.#objectionTo(material.cert, self.nodeId, self.address);
    if (objection !== undefined) {
      throw new TransportError("TRANSPORT_TLS_INVALID", `Others would not accept this node with it: ${objection}.`);
    }
    this.#context = context;
    this.#material = material;
    const reloaded = { isOtherTrust: isOtherTrust(before, material) };
    for (const listener of this.#listeners) listener(reloaded);
    return true;
  }

  /** Calls `listener` after each reload that changed something. */
  onReload(listener: (reloaded: Reloaded) => void): Cancel {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks at the files now and then, until cancelled. */
  watch(clock: Clock, logger: Logger): Cancel {
    if (this.options === undefined || this.options === false) return () => {};
    const periodMs = this.options.reloadIntervalMs ?? DEFAULT_RELOAD_MS;
    if (periodMs === 0) return () => {};
    return clock.every(periodMs, () => this.#look(logger));
  }

  /** Why this is not the server that was meant; undefined if it is (Y3). */
  #wrongServer(
    certificate: X509Certificate,
    host: string,
    address: HostPort,
    expected?: ExpectedNode,
  ): Error | undefined {
    const at = formatAddress(address);
    if (!coversHost(certificate, host)) {
      return identityError(
        `what answers at ${at} has a certificate (${namesFor(certificate)}) that is not made out to ${host}`,
      );
    }
    if (expected === undefined) return undefined;
    const { nodeId, knownAddress } = expected;
    // At the known address, being made out to its host is all there is to ask of a certificate that names no node.
    if (!isNamedByUri(certificate) && formatAddress(knownAddress) === at) return undefined;
    const claim = { nodeId, clusterNames: this.clusterNames, address: formatAddress(knownAddress) };
    const objection = objectionTo(certificate, claim);
    if (objection === undefined) return undefined;
    return identityError(`what answers at ${at} is not node ${nodeId}: ${objection}`);
  }

  #look(logger: Logger): void {
    try {
      if (this.reload()) logger.info({}, "the certificates have changed and were loaded");
      this.#lastFailure = undefined;
    } catch (error) {
      if (!(error instanceof RaftoralError)) throw error;
      // Half of a renewal: certificate and key are files of their own. The next look finds both.
      if (this.#lastFailure !== error.message) {
        logger.error(
          { code: error.code, err: error },
          "changed certificates cannot be used; going on with those before",
        );
      }
      this.#lastFailure = error.message;
    }
  }
}

function identityError(message: string): Error {
  return Object.assign(new Error(message), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
}
