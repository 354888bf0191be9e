// The options of the published packages, as their types and docstrings have them.
//
// An option type is an exported interface whose name ends in Options, Limits, Timing, Settings, Policy, Faults or Defaults, and that an entry of its
// package offers, or another such type names. The default of an option stands in parentheses at the end of a clause of its docstring.

import { readFile } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { parseAst } from "vitest/node";
import { filesIn, type WorkspacePackage } from "../workspace.ts";

/** One property of an option type. */
export interface Option {
  readonly name: string;
  /** As it is written, on one line. */
  readonly type: string;
  readonly isRequired: boolean;
  /** What the docstring has in parentheses; undefined where it has nothing. */
  readonly defaultText: string | undefined;
  /** The docstring without its default, on one line; empty where there is none. */
  readonly text: string;
}

/** One interface. */
export interface OptionType {
  readonly name: string;
  readonly text: string;
  readonly options: readonly Option[];
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const OPTION_TYPE = /(Options|Limits|Timing|Settings|Policy|Faults|Defaults)$/;
/** Parentheses at the end of a clause; a sentence that says so; or a clause at the end of one. */
const DEFAULTS = [
  /\s*\((?!thesis|see |docs\/|`)(?<value>[^()§]+)\)(?=[.;:,]|$)/,
  /(^|\s+)Defaults to (?<value>[^.]*`[^`]*`[^.]*?|[^.;]+?)(?=[.;]|, if )[.;]?/,
];

/** The option types of a package in the order of its entries' exports, those named by others last. */
export async function optionTypes(source: WorkspacePackage): Promise<readonly OptionType[]> {
  const declared = new Map<string, OptionType>();
  for (const file of await filesIn(source.folder, ["src/**/*.ts"])) {
    if (/\.test\.ts$|\/(testing|gen)\//.test(file)) continue;
    for (const each of optionTypesIn(await readFile(join(source.folder, file), "utf8"))) {
      // Two types of one name: the one of the file that an entry takes it from is asked for below.
      declared.set(`${file}/${each.name}`, each);
      if (!declared.has(each.name)) declared.set(each.name, each);
    }
  }
  const found = new Map<string, OptionType>();
  for (const entry of entriesOf(source)) {
    for (const { name, file } of exportsIn(await readFile(join(source.folder, entry), "utf8"), entry)) {
      const type = declared.get(`${file}/${name}`);
      if (type !== undefined) found.set(name, type);
    }
  }
  // A map hands out what is added while it is walked.
  for (const { options } of found.values()) {
    for (const [name] of options.flatMap(({ type }) => [...type.matchAll(/\w+/g)])) {
      const type = OPTION_TYPE.test(name) ? declared.get(name) : undefined;
      if (type !== undefined && !found.has(name)) found.set(name, type);
    }
  }
  return [...found.values()];
}

/** The sources of what users import, except for tests. */
function entriesOf({ manifest }: WorkspacePackage): readonly string[] {
  return Object.entries(manifest.exports ?? {}).flatMap(([entry, target]) => {
    const file = typeof target === "string" ? undefined : target["@raftoral/source"];
    return file === undefined || entry === "./testing" ? [] : [posix.normalize(file)];
  });
}

/** What a module exports from others, with the file that it comes from. */
function exportsIn(text: string, module: string): readonly { readonly name: string; readonly file: string }[] {
  return program(text).flatMap((statement) => {
    const from = (statement.source as { value?: unknown } | null | undefined)?.value;
    if (statement.type !== "ExportNamedDeclaration" || typeof from !== "string") return [];
    const file = posix.join(dirname(module), from);
    return (statement.specifiers as readonly { readonly exported: { readonly name: string } }[]).map(({ exported }) => {
      return { name: exported.name, file };
    });
  });
}

/** The option types that a module declares and exports. */
export function optionTypesIn(text: string): readonly OptionType[] {
  return program(text).flatMap((statement) => {
    const declaration = statement.declaration as SyntaxNode | null | undefined;
    const name = (declaration?.id as { name?: string } | undefined)?.name ?? "";
    if (declaration?.type !== "TSInterfaceDeclaration" || !OPTION_TYPE.test(name)) return [];
    const { body } = declaration.body as { readonly body: readonly SyntaxNode[] };
    const options = body.flatMap((member) => optionOf(member, text, /(Limits|Timing|Faults)$/.test(name)));
    return [
      {
        name,
        text: docstring(text, statement.start)
          .replace(/\s*Defaults in parentheses\.?/, "")
          .trim(),
        options,
      },
    ];
  });
}

function optionOf(member: SyntaxNode, text: string, isAllOptional: boolean): readonly Option[] {
  const name = (member.key as { name?: string } | undefined)?.name;
  if (name === undefined) return [];
  const whole = text.slice(member.start, member.end).replace(/^readonly\s+/, "");
  const type = whole
    .slice(name.length)
    .replace(/^\?/, "")
    .replace(/^:/, "")
    .replace(/;$/, "")
    .replaceAll(/\s+/g, " ")
    .trim();
  const doc = docstring(text, member.start);
  const found = DEFAULTS.map((pattern) => pattern.exec(doc)).find((match) => match !== null);
  return [
    {
      name,
      type,
      isRequired: member.optional !== true && !isAllOptional,
      defaultText: found?.groups?.value,
      text: found === undefined ? doc : doc.replace(found[0], "").trim(),
    },
  ];
}

/** The text of the comment that ends right before `at`, on one line. */
function docstring(text: string, at: number): string {
  const before = text.slice(0, at).trimEnd();
  if (!before.endsWith("*/")) return "";
  const start = before.lastIndexOf("/**");
  return before
    .slice(start + 3, -2)
    .replaceAll(/^\s*\* ?/gm, "")
    .replaceAll(/\{@link ([^}]+)\}/g, "`$1`")
    .replaceAll(/\s+/g, " ")
    .trim();
}

function program(text: string): readonly SyntaxNode[] {
  return (parseAst(text, { lang: "ts" }) as unknown as { readonly body: readonly SyntaxNode[] }).body;
}
