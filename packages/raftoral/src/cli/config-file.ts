/**
 * `raftoral start --config FILE`: the node's settings as JSON, with what concerns the process beside them.
 */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { NodeError } from "../api/errors.ts";
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "../logging/logger.ts";
import { type NodeSettings, SETTING_NAMES } from "../node/config/node-config.ts";
import { parseJson } from "./json-argument.ts";
import { tlsFromFile } from "./tls-flags.ts";

/** What a configuration file may hold. Paths in it are relative to the file. */
export interface FileSettings extends Partial<NodeSettings> {
  readonly workflows?: readonly string[];
  /** The module of the payload codecs. */
  readonly codec?: string;
  readonly logLevel?: LogLevel;
  readonly logFormat?: LogFormat;
}

const NAMES: ReadonlySet<string> = new Set([...SETTING_NAMES, "workflows", "codec", "logLevel", "logFormat"]);

/** Reads and checks a configuration file. Throws OPTIONS_INVALID naming the key, JSON_INVALID for what is no JSON. */
export async function readConfigFile(path: string): Promise<FileSettings> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new NodeError(
      "OPTIONS_INVALID",
      `The configuration file ${path} cannot be read: ${(error as Error).message}.`,
      {
        cause: error,
      },
    );
  }
  return checked(parseJson(text, `The configuration file ${path}`), path);
}

function checked(value: unknown, path: string): FileSettings {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(path, 'must hold an object, for example { "listen": "127.0.0.1:5001", "dataDir": "data/1" }');
  }
  const settings = value as FileSettings;
  for (const key of Object.keys(settings)) {
    if (!NAMES.has(key)) throw invalid(path, `has the unknown key "${key}"; there are ${[...NAMES].join(", ")}`);
  }
  const { workflows, codec, logLevel, logFormat, dataDir, backupDir, tls } = settings;
  if (codec !== undefined && typeof codec !== "string") throw invalid(path, 'must name a file as "codec"');
  if (workflows !== undefined && !(Array.isArray(workflows) && workflows.every((file) => typeof file === "string"))) {
    throw invalid(path, 'must list files under "workflows"');
  }
  if (logLevel !== undefined && !LOG_LEVELS.includes(logLevel)) {
    throw invalid(path, `must have one of ${LOG_LEVELS.join(", ")} as "logLevel"`);
  }
  if (logFormat !== undefined && !LOG_FORMATS.includes(logFormat)) {
    throw invalid(path, `must have one of ${LOG_FORMATS.join(", ")} as "logFormat"`);
  }
  const base = dirname(resolve(path));
  return {
    ...settings,
    ...(workflows === undefined ? {} : { workflows: workflows.map((file) => resolve(base, file)) }),
    ...(codec === undefined ? {} : { codec: resolve(base, codec) }),
    ...(tls === undefined ? {} : { tls: tlsFromFile(tls, path) }),
    ...(typeof dataDir === "string" && dataDir !== "" ? { dataDir: resolve(base, dataDir) } : {}),
    ...(typeof backupDir === "string" && backupDir !== "" ? { backupDir: resolve(base, backupDir) } : {}),
  };
}

function invalid(path: string, problem: string): NodeError {
  return new NodeError("OPTIONS_INVALID", `The configuration file ${path} ${problem}.`);
}
