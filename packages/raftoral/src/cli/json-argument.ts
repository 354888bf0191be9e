/** JSON given on the command line: as it is, `@file`, or `-` for standard input. */
import { readFile } from "node:fs/promises";
import { NodeError } from "../errors.ts";
import { parseJson } from "../json.ts";
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
