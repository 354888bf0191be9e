import type { NodeAddress } from "@raftoral/raft-core";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { LogFormat, LogLevel } from "../../logging/logger.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../../logging/logger.ts";
import type { NodeSettings } from "../../node/config/node-config.ts";
import { DEFAULT_NODE } from "../client-command.ts";
import { type FileSettings, readConfigFile } from "../config-file.ts";
import { parseDuration } from "../durations.ts";
import type { CliIo } from "../io.ts";
import { addTlsOptions, type TlsFlags, tlsFromEnv, tlsFromFlags } from "../tls-flags.ts";

/** Everything a node process is started with: the flags over the file over the defaults. */
export interface StartSettings {
  readonly node: NodeSettings;
  readonly workflowFiles: readonly string[];
  /** The module of the payload codecs; undefined for none. */
  readonly codecFile: string | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Runs a node until it stops; resolves with the exit code. */
export type ServeNode = (settings: StartSettings, io: CliIo) => Promise<number>;

interface StartFlags extends TlsFlags {
  readonly config?: string;
  readonly listen?: string;
  readonly advertise?: string;
  readonly data?: string;
  readonly backupDir?: string;
  readonly allowOrigin?: readonly string[];
  readonly bootstrap?: boolean;
  readonly join?: readonly string[];
  readonly members?: readonly NodeAddress[];
  readonly id?: number;
  readonly clusterName?: string;
  readonly workflows?: readonly string[];
  readonly codec?: string;
  readonly metrics?: string;
  readonly stopTimeout?: number;
  readonly joinTimeout?: number;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
}

const START_EXAMPLES = `
Examples:
  $ raftoral start --listen 127.0.0.1:5001 --data data/1 --bootstrap --workflows workflows.ts
  $ raftoral start --listen 127.0.0.1:5002 --data data/2 --join 127.0.0.1:5001 --workflows workflows.ts
  $ raftoral start --listen 127.0.0.1:5002 --data data/2 --workflows workflows.ts    # restart: the folder knows the rest
  $ raftoral start --config node.json

A configuration file holds the same as the flags: { "listen", "advertise", "dataDir", "backupDir", "allowedOrigins", "bootstrap", "join", "members",
"nodeId", "clusterName", "workflows": [files], "codec": file, "timing", "limits", "workflowLimits", "retention", "queues", "transportLimits", "tls", "metrics", "joinTimeoutMs", "stopTimeoutMs", "logLevel", "logFormat" }.

SIGTERM or SIGINT stops in order: runs and leadership are handed to other nodes first. A second one ends the process at once.
SIGHUP reads the certificates of --tls-ca, --tls-cert and --tls-key again; they are also looked at every 30 seconds.`;

const JOIN_EXAMPLES = `
Example:
  $ raftoral join 10.0.0.1:5001 --listen 10.0.0.2:5001 --data data/2 --workflows workflows.ts

The new node catches up as a learner and is made a voter then, without an outage. It is the same as \`start --join\`; later
starts need only \`raftoral start\`, for the folder knows the cluster.`;

/** `raftoral start`: runs a node in this process. */
export function addStart(program: Command, io: CliIo, serve: ServeNode, setExitCode: (code: number) => void): void {
  const command = program
    .command("start")
    .summary("run a node")
    .description("Run a node in this process: a new cluster's first, one that joins, or one that is restarted.")
    .option("--bootstrap", "make a new cluster of this one node")
    .option("--join <address...>", "join the cluster of any of these nodes")
    .addOption(
      new Option("--members <id=address,...>", "first members of a cluster known beforehand").argParser(parseMembers),
    )
    .addOption(new Option("--id <n>", "which of --members this node is").argParser(parseId));
  addNodeOptions(command)
    .addHelpText("after", START_EXAMPLES)
    .action(async (flags: StartFlags) => setExitCode(await serve(await startSettings(flags, io.env), io)));
}

/** `raftoral join ADDRESS...`: `start --join`, under the name an operator looks for. */
export function addJoin(program: Command, io: CliIo, serve: ServeNode, setExitCode: (code: number) => void): void {
  const command = program
    .command("join")
    .summary("run a node that joins a cluster")
    .description("Run a node in this process that joins the cluster of the nodes at the addresses given.")
    .argument("<address...>", "addresses of members; one that answers is enough");
  addNodeOptions(command)
    .addHelpText("after", JOIN_EXAMPLES)
    .action(async (join: readonly string[], flags: StartFlags) =>
      setExitCode(await serve(await startSettings({ ...flags, join }, io.env), io)),
    );
}

/** What {@link ServeNode} gets for flags. Throws OPTIONS_INVALID or JSON_INVALID for a configuration file with mistakes. */
export async function startSettings(flags: StartFlags, env: CliIo["env"] = {}): Promise<StartSettings> {
  const file: FileSettings = flags.config === undefined ? {} : await readConfigFile(flags.config);
  const { workflows, codec, logLevel, logFormat, ...fromFile } = file;
  const given = {
    listen: flags.listen,
    advertise: flags.advertise,
    dataDir: flags.data,
    backupDir: flags.backupDir,
    allowedOrigins: flags.allowOrigin,
    bootstrap: flags.bootstrap,
    join: flags.join,
    members: flags.members,
    nodeId: flags.id,
    clusterName: flags.clusterName,
    tls: tlsFromFlags(flags) ?? fromFile.tls ?? tlsFromEnv(env),
    metrics: flags.metrics === undefined ? undefined : { ...fromFile.metrics, prometheus: flags.metrics },
    stopTimeoutMs: flags.stopTimeout,
    joinTimeoutMs: flags.joinTimeout,
  } satisfies { [Name in keyof NodeSettings]: NodeSettings[Name] | undefined };
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return {
    node: { listen: DEFAULT_NODE, ...fromFile, ...(present as Partial<NodeSettings>) },
    workflowFiles: flags.workflows ?? workflows ?? [],
    codecFile: flags.codec ?? codec ?? env.RAFTORAL_CODEC,
    logLevel: flags.logLevel ?? logLevel ?? "info",
    logFormat: flags.logFormat ?? logFormat ?? "auto",
  };
}

function addNodeOptions(command: Command): Command {
  return addTlsOptions(command)
    .option("-c, --config <file>", "settings as JSON; flags go before it")
    .option("-l, --listen <address>", `where to listen (default: ${DEFAULT_NODE}); port 0 takes a free one`)
    .option("--advertise <address>", "where others reach this node (default: the listening address)")
    .option("-d, --data <folder>", "folder of this node; without one everything is in memory only")
    .option("--backup-dir <folder>", "where clients may have backups of this node made (default: nowhere)")
    .option("--allow-origin <origin...>", "pages of these origins may call from a browser (default: none)")
    .option("-w, --workflows <file...>", "modules (.js, .ts) whose exports are workflows")
    .option("--codec <file>", "module whose default export is a payload codec, or a list of them (env RAFTORAL_CODEC)")
    .option("--metrics <address>", "serve metrics for Prometheus there, over HTTP, at /metrics (default: nowhere)")
    .option("--cluster-name <name>", "first part of a new cluster's id; joining a cluster of another name is refused")
    .addOption(new Option("--join-timeout <time>", "how long joining may take (default: 30s)").argParser(parseDuration))
    .addOption(
      new Option("--stop-timeout <time>", "how long handing over may take at the end (default: 10s)").argParser(
        parseDuration,
      ),
    )
    .addOption(new Option("--log-level <level>", "least level that is logged (default: info)").choices(LOG_LEVELS))
    .addOption(new Option("--log-format <format>", "auto: lines on a terminal, JSON elsewhere").choices(LOG_FORMATS))
    .option("--verbose", "print the stack of an error");
}

function parseMembers(text: string): readonly NodeAddress[] {
  return text.split(",").map((part) => {
    const match = /^\s*(\d+)=(\S+)\s*$/.exec(part);
    if (match === null) throw new InvalidArgumentError("Write id=host:port,id=host:port,...");
    return { nodeId: Number(match[1]), address: match[2] ?? "" };
  });
}

function parseId(text: string): number {
  const id = Number(text);
  if (Number.isSafeInteger(id) && id > 0) return id;
  throw new InvalidArgumentError("A node id is a whole number above 0.");
}
