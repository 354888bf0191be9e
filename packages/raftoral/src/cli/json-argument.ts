/** JSON given on the command line: as it is, `@file`, or `-` for standard input. */
import { readFile } from "node:fs/promises";
import { NodeError } from "../api/errors.ts";
import type { CliIo } from "./io.ts";

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
