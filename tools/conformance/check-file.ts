// Checks one file of conformance data, whatever it is.

import { readFile } from "node:fs/promises";
import { checkScript } from "./check-script.ts";
import { checkVectors } from "./check-wire.ts";

export interface CheckResult {
  /** Directives or vectors in the file. */
  readonly checks: number;
  readonly failures: number;
  /** What is wrong, as lines of a unified diff. */
  readonly problems: readonly string[];
}

/** A file that cannot be read or understood has failed. */
export async function checkFile(path: string): Promise<CheckResult> {
  try {
    const text = await readFile(path, "utf8");
    if (path.endsWith(".txt")) return checkScript(path, text);
    if (path.endsWith(".json")) return checkVectors(path, text);
    throw new Error("neither a script (.txt) nor wire vectors (.json)");
  } catch (error) {
    return { checks: 0, failures: 1, problems: [`${path}: ${error instanceof Error ? error.message : error}`] };
  }
}
