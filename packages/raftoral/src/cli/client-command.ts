/**
 * What all commands that ask a running node have in common: its address, a time limit, and two ways to print.
 */
import { type Command, Option } from "commander";
import { jsonText } from "../api/payloads/bytes-as-json.ts";
import { RaftoralClient } from "../client/raftoral-client.ts";
import { loadCodecs } from "./codec-file.ts";
import { parseDuration } from "./durations.ts";
import type { CliIo } from "./io.ts";
import { addTlsOptions, type TlsFlags, tlsFromEnv, tlsFromFlags } from "./tls-flags.ts";

/** The flags of every command that asks a node. */
export interface ClientFlags extends TlsFlags {
  readonly node: string;
  readonly timeout: number;
  readonly codec?: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
}

export const DEFAULT_NODE = "127.0.0.1:5001";

/** Adds the options that {@link withClient} reads. */
export function addClientOptions(command: Command, io: CliIo): Command {
  return addTlsOptions(command)
    .addOption(
      new Option(
        "-n, --node <address>",
        "node to ask; several, with commas, are tried in turn (env RAFTORAL_NODE)",
      ).default(io.env.RAFTORAL_NODE ?? DEFAULT_NODE),
    )
    .addOption(
      new Option("--timeout <time>", "how long to wait, e.g. 500ms, 10s, 5m")
        .default(10_000, "10s")
        .argParser(parseDuration),
    )
    .option("--codec <file>", "module whose default export is a payload codec, or a list of them (env RAFTORAL_CODEC)")
    .option("--json", "print JSON for programs")
    .option("--verbose", "print the stack of an error");
}

/** The flag of every command that only reads. */
export interface ReadFlags {
  readonly stale?: boolean;
}

/** Adds the option of reads. */
export function addConsistency(command: Command): Command {
  return command.option(
    "--stale",
    "print what the node that is asked has, also without a majority; it may lack what is new",
  );
}

/** How recent the answer must be, as an option of a call. */
export function consistencyOf({ stale }: ReadFlags): { readonly consistency?: "stale" } {
  return stale === true ? { consistency: "stale" } : {};
}

/** The flag of every command that changes something. */
export interface ChangeFlags extends ClientFlags {
  readonly reason?: string;
}

/** Adds the option of changes. */
export function addReason(command: Command): Command {
  return command.option("--reason <text>", "why, for the audit");
}

/** Why, as an option of a call. */
export function reasonOf({ reason }: ChangeFlags): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}

/** Connects as `flags` say, and closes whatever happens. `pinned`: only the node named, none that it names. */
export async function withClient<T>(
  flags: ClientFlags,
  io: CliIo,
  use: (client: RaftoralClient) => Promise<T>,
  options: { readonly pinned?: boolean } = {},
): Promise<T> {
  const addresses = flags.node.split(",").map((address) => address.trim());
  const tls = tlsFromFlags(flags) ?? tlsFromEnv(io.env);
  const codecFile = flags.codec ?? io.env.RAFTORAL_CODEC;
  const client = await RaftoralClient.connect(addresses, {
    timeoutMs: flags.timeout,
    ...(tls === undefined ? {} : { tls }),
    ...(codecFile === undefined || codecFile === "" ? {} : { payloadCodec: await loadCodecs(codecFile) }),
    ...options,
  });
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/** JSON as every `--json` prints it. */
export function printJson(io: CliIo, value: unknown): void {
  io.out(`${jsonText(value, io.isTty ? 2 : undefined)}\n`);
}
