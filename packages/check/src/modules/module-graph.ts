/**
 * The files that a check reads: those that it is asked for, and what these import by a relative path, once something in them
 * is needed. Packages are never opened.
 */
import { posix } from "node:path";
import { CheckError } from "../errors.ts";
import { isScript, tooDeep } from "../syntax/parse.ts";
import { SourceModule } from "./source-module.ts";

/** Reads files for a check. Paths use `/`. */
export interface SourceReader {
  /** The text of a file; undefined when there is no such file. Throws CheckError for a file that is no source text. */
  read(path: string): string | undefined;
}

/** Endings that an import may leave out, in the order in which they are tried. */
const ENDINGS = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"];

/** An import names the file that the compiler will write. */
const SOURCES_OF: readonly (readonly [output: string, sources: readonly string[]])[] = [
  [".js", [".ts", ".tsx"]],
  [".jsx", [".tsx"]],
  [".mjs", [".mts"]],
  [".cjs", [".cts"]],
];

/** Opens and keeps the modules of one check. A file that cannot be read or parsed is reported once, and is then undefined. */
export class ModuleGraph {
  readonly #reader: SourceReader;
  readonly #onFailure: (error: CheckError) => void;
  readonly #modules = new Map<string, SourceModule | undefined>();

  /** `onFailure` hears of every imported file that exists and cannot be parsed, once each. */
  constructor(reader: SourceReader, onFailure: (error: CheckError) => void) {
    this.#reader = reader;
    this.#onFailure = onFailure;
  }

  /** The module at `path`; undefined when there is none, or it has failed. */
  load(path: string): SourceModule | undefined {
    const key = posix.normalize(path);
    if (this.#modules.has(key)) return this.#modules.get(key);
    const loaded = this.#parse(path);
    this.#modules.set(key, loaded);
    return loaded;
  }

  /** The module that `from` imports as `specifier`; undefined for a package, for data, and for a file that is not there. */
  imported(from: SourceModule, specifier: string): SourceModule | undefined {
    if (!specifier.startsWith("./") && !specifier.startsWith("../")) return undefined;
    const base = posix.join(posix.dirname(from.path), specifier);
    for (const candidate of candidates(base)) {
      const found = this.load(candidate);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #parse(path: string): SourceModule | undefined {
    try {
      const text = this.#reader.read(path);
      return text === undefined ? undefined : new SourceModule(path, text);
    } catch (error) {
      const failure = error instanceof RangeError ? tooDeep(path, error) : error;
      if (!(failure instanceof CheckError)) throw failure;
      this.#onFailure(failure);
      return undefined;
    }
  }
}

function candidates(base: string): readonly string[] {
  const found = isScript(base) ? [base] : [];
  for (const [output, sources] of SOURCES_OF) {
    if (base.endsWith(output)) found.push(...sources.map((source) => base.slice(0, -output.length) + source));
  }
  found.push(...ENDINGS.map((ending) => base + ending));
  found.push(...ENDINGS.map((ending) => `${base}/index${ending}`));
  return found;
}
