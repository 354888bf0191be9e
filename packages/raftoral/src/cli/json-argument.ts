/** Values given on the command line: JSON as it is, `@file`, or `-` for standard input; or the bytes of a file. */
import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { NodeError } from "../api/errors.ts";
import { givenInJson } from "../api/payloads/bytes-as-json.ts";
import type { CliIo } from "./io.ts";

/** The flag beside one that takes JSON. */
export interface FileFlag {
  /** A file whose bytes are the value. */
  readonly file?: string;
}

/** Adds the option. `json`: the option that takes JSON, as commander names it. */
export function addFile(command: Command, json: string): Command {
  const text = "the bytes of this file instead of JSON; a body gets a Uint8Array";
  return command.addOption(new Option("--file <path>", text).conflicts(json));
}

/** The value of the flags; undefined when neither is given. `what` names the option that takes JSON. Throws JSON_INVALID, or OPTIONS_INVALID for a file that cannot be read. */
export async function readValue(
  json: string | undefined,
  { file }: FileFlag,
  what: string,
  io: CliIo,
): Promise<unknown> {
  if (file === undefined) return json === undefined ? undefined : givenInJson(await readJsonArgument(json, what, io));
  try {
    return new Uint8Array(await readFile(file));
  } catch (cause) {
    const text = `The file of --file cannot be read: ${(cause as Error).message}. Name a file that this user may read.`;
    throw new NodeError("OPTIONS_INVALID", text, { cause });
  }
}

/** The JSON of `--value`, which only `--file` may stand for. Throws OPTIONS_INVALID. */
export function requiredValue({ value, file }: FileFlag & { readonly value?: string }): string | undefined {
  if (value !== undefined || file !== undefined) return value;
  throw new NodeError(
    "OPTIONS_INVALID",
    "No value was given. Give --value with JSON, or --file with the path of a file.",
  );
}

/** The value. `what` names the option. Throws JSON_INVALID, also for a file that cannot be read. */
export async function readJsonArgument(argument: string, what: string, io: CliIo): Promise<unknown> {
  if (argument === "-") return parseJson(await io.readStdin(), `${what} from standard input`);
  if (!argument.startsWith("@")) return parseJson(argument, what);
  const path = argument.slice(1);
  try {
    return parseJson(await readFile(path, "utf8"), `${what} from ${path}`);
  } catch (error) {
    if (error instanceof NodeError) throw error;
    throw new NodeError("JSON_INVALID", `${what} cannot be read from ${path}: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

/** The value of a JSON text. `what` begins the message. Throws JSON_INVALID, saying where the text goes wrong. */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new NodeError("JSON_INVALID", `${what} is not JSON: ${(error as Error).message}.`, { cause: error });
  }
}
