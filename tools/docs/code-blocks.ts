// Finds the TypeScript in Markdown, and what is to be done with it.
//
// A comment on the line above a ```ts block says which it is; a block without one is a mistake:
//   <!-- test -->                 a whole program: its types are checked, it is run, and it must end by itself with exit code 0
//   <!-- test: orders.ts -->      the same, under a name that later blocks of the document can import: `./orders.ts`
//   <!-- types -->                a module whose types are checked
//   <!-- types: orders.ts -->     the same, under a name
//   <!-- fragment: reason -->     not a module; nothing is checked
// A ```text block below a program, marked <!-- output -->, is exactly what the program prints.

export interface CodeBlock {
  readonly kind: "test" | "types" | "fragment";
  /** File name to write it under, unique in its document. */
  readonly file: string;
  /** Number of the block's first line in the document, from 1. */
  readonly line: number;
  readonly code: string;
  /** What it must print; undefined when anything will do. */
  readonly output?: string;
}

const FENCE = /^```(\w*)\s*$/;
const MARK = /^<!-- (test|types|fragment|output)(?:: (.+?))? -->$/;

/** The TypeScript blocks of a document. Throws, naming the line, for one that is not marked or marked wrongly. */
export function codeBlocks(markdown: string): readonly CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = markdown.split("\n");
  for (let at = 0; at < lines.length; at++) {
    const language = lines[at]?.match(FENCE)?.[1];
    if (language === undefined) continue;
    const end = lines.indexOf("```", at + 1);
    if (end === -1) throw new Error(`line ${at + 1}: the code block has no end`);
    const code = lines.slice(at + 1, end).join("\n");
    const mark = lines[at - 1]?.match(MARK);
    if (mark?.[1] === "output") attachOutput(blocks, code, at);
    else if (language === "ts") blocks.push(tsBlock(mark, code, at + 2, blocks.length + 1));
    else if (mark != null) throw new Error(`line ${at}: only \`\`\`ts blocks are marked ${mark[1]}`);
    at = end;
  }
  const names = blocks.map((block) => block.file);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two blocks are named ${twice}`);
  return blocks;
}

function tsBlock(mark: RegExpMatchArray | null | undefined, code: string, line: number, number: number): CodeBlock {
  const kind = mark?.[1];
  const argument = mark?.[2];
  if (kind !== "test" && kind !== "types" && kind !== "fragment") {
    throw new Error(
      `line ${line - 1}: mark the block with <!-- test -->, <!-- types --> or <!-- fragment: reason --> above`,
    );
  }
  if (kind === "fragment" && argument === undefined) throw new Error(`line ${line - 2}: say why it is a fragment`);
  const name = kind === "fragment" ? undefined : argument;
  if (name !== undefined && !/^[\w-]+\.ts$/.test(name))
    throw new Error(`line ${line - 2}: ${name} is not a .ts file name`);
  return { kind, file: name ?? `block-${number}.ts`, line, code };
}

function attachOutput(blocks: CodeBlock[], output: string, at: number): void {
  const program = blocks.pop();
  if (program?.kind !== "test") throw new Error(`line ${at}: there is no program above this output`);
  blocks.push({ ...program, output });
}
