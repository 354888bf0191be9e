/**
 * Text to syntax tree. The parser is Babel's: it is plain JavaScript, so the worst that a hostile file can do to it is an
 * exception (docs/adr says what was compared).
 *
 * P1. Any text gives a tree or a CheckError; nothing else is thrown.
 */
import { type ParseResult, type ParserOptions, type ParserPlugin, parse } from "@babel/parser";
import type { File } from "@babel/types";
import { CheckError, type Position } from "../errors.ts";

const SCRIPT = /\.([cm]?)(js|ts)(x?)$/;

/** Whether the name of a file says that it holds JavaScript or TypeScript. */
export function isScript(path: string): boolean {
  return SCRIPT.test(path);
}

/** Throws CHECK_FILE_UNPARSABLE for what is no JavaScript or TypeScript, CHECK_FILE_TOO_COMPLEX for nesting beyond the stack. */
export function parseScript(path: string, text: string): File {
  const options = parserOptions(path);
  if (text.includes("\0")) throw notText(path);
  let file: ParseResult<File>;
  try {
    file = parse(text, options);
  } catch (error) {
    if (error instanceof RangeError) throw tooDeep(path, error);
    throw syntaxError(path, error);
  }
  const [first] = file.errors ?? [];
  if (first !== undefined) throw syntaxError(path, first);
  return file;
}

/** The error for a file whose nesting overflows the stack. */
export function tooDeep(path: string, cause: unknown): CheckError {
  return new CheckError(
    "CHECK_FILE_TOO_COMPLEX",
    path,
    `${path} is nested too deeply to be checked. Check the file that it is generated from, or split its expressions.`,
    { cause },
  );
}

function parserOptions(path: string): ParserOptions {
  const [, moduleKind, language, x] = path.match(SCRIPT) ?? [];
  if (language === undefined) {
    throw new CheckError(
      "CHECK_FILE_UNPARSABLE",
      path,
      `${path} is no JavaScript or TypeScript file by its name. Name files that end in .ts, .tsx, .mts, .cts, .js, .jsx, .mjs or .cjs.`,
    );
  }
  const plugins: ParserPlugin[] = [
    // The older proposal is the one that allows decorators of parameters.
    language === "ts" ? "decorators-legacy" : ["decorators", {}],
    "decoratorAutoAccessors",
    "deferredImportEvaluation",
    "explicitResourceManagement",
    "sourcePhaseImports",
  ];
  if (language === "ts") plugins.push(["typescript", { dts: path.endsWith(`.d.${moduleKind}ts`) }]);
  if (language === "js" || x === "x") plugins.push("jsx");
  return {
    // A .cts file may have imports, which its compiler makes CommonJS of.
    sourceType: moduleKind === "m" ? "module" : "unambiguous",
    plugins,
    attachComment: false,
    createImportExpressions: true,
    allowAwaitOutsideFunction: true,
    allowReturnOutsideFunction: true,
    allowUndeclaredExports: true,
  };
}

function notText(path: string): CheckError {
  return new CheckError("CHECK_FILE_UNPARSABLE", path, `${path} is a binary file. Name source files.`);
}

function syntaxError(path: string, error: unknown): CheckError {
  const reason = error instanceof Error ? error.message.replace(/ \(\d+:\d+\)$/, "") : String(error);
  const position = positionOf(error);
  const where = position === undefined ? path : `${path}:${position.line}:${position.column}`;
  return new CheckError(
    "CHECK_FILE_UNPARSABLE",
    path,
    `${where} cannot be parsed: ${reason.replace(/\.$/, "")}. Correct the file, and check it again.`,
    { ...(position === undefined ? {} : { position }), cause: error },
  );
}

function positionOf(error: unknown): Position | undefined {
  const loc = (error as { loc?: { line?: unknown; column?: unknown } } | null)?.loc;
  if (typeof loc?.line !== "number" || typeof loc.column !== "number") return undefined;
  return { line: loc.line, column: loc.column + 1 };
}
