import { readFileSync, statSync } from "node:fs";
import { sep } from "node:path";
import { check } from "./check.ts";
import { CheckError } from "./errors.ts";
import type { SourceReader } from "./modules/module-graph.ts";
import type { CheckReport } from "./report.ts";

/** A larger file is no source that a person writes: a bundle, or data. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * Checks the workflows of files, without running them. Functions that a body calls are followed through relative imports.
 * Never throws for what is in a file: a file that cannot be checked is in `failures`. Reads files synchronously.
 */
export function checkFiles(paths: Iterable<string>): CheckReport {
  const named = [...paths].map((path) => path.replaceAll(sep, "/"));
  return check([...new Set(named)], disk, missing);
}

/** Checks one source text. `path` decides the language by its ending, and is in the report; no import is followed. */
export function checkSource(text: string, path = "workflow.ts"): CheckReport {
  const reader: SourceReader = { read: (asked) => (asked === path ? text : undefined) };
  return check([path], reader, missing);
}

const disk: SourceReader = {
  read: (path) => {
    const stats = orUnreadable(path, () => statSync(path, { throwIfNoEntry: false }));
    // Reading a pipe or a device may never end.
    if (stats?.isFile() !== true) return undefined;
    if (stats.size > MAX_FILE_BYTES) {
      throw new CheckError(
        "CHECK_FILE_TOO_LARGE",
        path,
        `${path} has ${stats.size} bytes; files up to ${MAX_FILE_BYTES} bytes are checked. Check the sources of a bundle instead.`,
      );
    }
    return textOf(
      path,
      orUnreadable(path, () => readFileSync(path)),
    );
  },
};

function textOf(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CheckError("CHECK_FILE_UNPARSABLE", path, `${path} is no UTF-8 text. Name source files.`, { cause });
  }
}

function orUnreadable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CheckError("CHECK_FILE_UNREADABLE", path, `${path} cannot be read (${reason}). Check its permissions.`, {
      cause: error,
    });
  }
}

function missing(path: string): CheckError {
  return new CheckError(
    "CHECK_FILE_UNREADABLE",
    path,
    `There is no file ${path}. Name files; a folder is checked by naming the files in it, for example src/*.ts.`,
  );
}
