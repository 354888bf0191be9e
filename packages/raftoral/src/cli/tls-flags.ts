/** How TLS is said on the command line, in the environment and in a configuration file. */
import { dirname, resolve } from "node:path";
import type { TlsOptions } from "@raftoral/transport-grpc";
import type { Command } from "commander";
import { NodeError } from "../api/errors.ts";

/** The flags of TLS, as they were given. */
export interface TlsFlags {
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly plaintext?: boolean;
}

/** Adds the options that {@link tlsFromFlags} reads. */
export function addTlsOptions(command: Command): Command {
  return command
    .option("--tls-ca <file>", "authorities whose certificates are believed, PEM (env RAFTORAL_TLS_CA)")
    .option("--tls-cert <file>", "certificate to show, PEM (env RAFTORAL_TLS_CERT)")
    .option("--tls-key <file>", "key of that certificate, PEM (env RAFTORAL_TLS_KEY)")
    .option("--plaintext", "no TLS, also beyond this machine (env RAFTORAL_PLAINTEXT=1)");
}

/** What the flags say; undefined when they say nothing. Throws OPTIONS_INVALID for a contradiction. */
export function tlsFromFlags(flags: TlsFlags): TlsOptions | false | undefined {
  return tlsOf(
    { ca: flags.tlsCa, cert: flags.tlsCert, key: flags.tlsKey, plaintext: flags.plaintext === true },
    { ca: "--tls-ca", plaintext: "--plaintext" },
  );
}

/** What the environment says; undefined when it says nothing. Throws OPTIONS_INVALID for a contradiction. */
export function tlsFromEnv(env: Readonly<Record<string, string | undefined>>): TlsOptions | false | undefined {
  const plaintext = env.RAFTORAL_PLAINTEXT;
  return tlsOf(
    {
      ca: env.RAFTORAL_TLS_CA,
      cert: env.RAFTORAL_TLS_CERT,
      key: env.RAFTORAL_TLS_KEY,
      plaintext: plaintext !== undefined && plaintext !== "" && plaintext !== "0",
    },
    { ca: "RAFTORAL_TLS_CA", plaintext: "RAFTORAL_PLAINTEXT" },
  );
}

/** The `tls` of a configuration file, with paths relative to the file. Its shape is checked where it is used. */
export function tlsFromFile(tls: TlsOptions | false, file: string): TlsOptions | false {
  if (typeof tls !== "object" || tls === null) return tls;
  const base = dirname(resolve(file));
  const locate = (source: unknown): unknown => {
    if (Array.isArray(source)) return source.map(locate);
    return typeof source === "string" && source !== "" && !source.includes("-----BEGIN")
      ? resolve(base, source)
      : source;
  };
  const located = Object.entries(tls).map(([name, value]) => [name, SOURCES.has(name) ? locate(value) : value]);
  return Object.fromEntries(located) as unknown as TlsOptions;
}

const SOURCES: ReadonlySet<string> = new Set(["ca", "cert", "key", "crl"]);

function tlsOf(
  said: {
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
    readonly plaintext: boolean;
  },
  names: { readonly ca: string; readonly plaintext: string },
): TlsOptions | false | undefined {
  const { ca, cert, key, plaintext } = said;
  const isTls = ca !== undefined || cert !== undefined || key !== undefined;
  if (plaintext && isTls) throw contradiction(`${names.plaintext} and certificates exclude each other`);
  if (plaintext) return false;
  if (!isTls) return undefined;
  if (ca === undefined) throw contradiction(`${names.ca} is missing: the certificates to believe go with one's own`);
  return { ca, ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}

function contradiction(problem: string): NodeError {
  return new NodeError("OPTIONS_INVALID", `${problem}.`, { details: { option: "tls" } });
}
