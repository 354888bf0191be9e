// @module-tag slow

// Texts that were right once and then damaged, and texts that never were: each gives a report.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkSource } from "./check-files.ts";
import { isRuleId } from "./rules.ts";

const CORPUS = readdirSync(join(import.meta.dirname, "corpus"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => readFileSync(join(import.meta.dirname, "corpus", file), "utf8"));

/** Sources with everything that the check looks at: the texts of the corpus, as one body after the other. */
const BODIES = CORPUS.flatMap(
  (text) =>
    text.match(/(?<=")(?:[^"\\\n]|\\.)*ctx(?:[^"\\\n]|\\.)*(?=")|(?<=')(?:[^'\\\n]|\\.)*ctx(?:[^'\\\n]|\\.)*(?=')/g) ??
    [],
);

const PIECES = [
  ...[
    "await ",
    "async ",
    "ctx",
    ".step(",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "=>",
    "...",
    "`",
    "${",
    "return ",
    "const a = ",
    "for (const a of b) ",
  ],
  ...[
    "Promise.all(",
    "items.map(",
    "new Promise(",
    "if (a) ",
    "else ",
    "switch (a) { case 1: ",
    "try {",
    "} catch {",
    "yield* ",
    "?.",
    "??=",
    "#a",
  ],
  ...[
    "class A {",
    "static {",
    "import(",
    "require(",
    "export * from './a'",
    "var ",
    "function f(",
    "<T>",
    " as const",
    "@a ",
    "enum E {",
    "/* ",
    "// ",
    '"',
  ],
];

function checkIsSound(source: string, path: string): void {
  const { findings, failures, workflows } = checkSource(source, path);
  const lines = source.split(/\r\n|[\n\r\u2028\u2029]/).length;
  for (const { line, column, rule, message, advice } of findings) {
    expect(line).toBeGreaterThanOrEqual(1);
    expect(line).toBeLessThanOrEqual(lines);
    expect(column).toBeGreaterThanOrEqual(1);
    expect(isRuleId(rule)).toBe(true);
    expect(message.endsWith(".") && advice.endsWith(".")).toBe(true);
  }
  for (const { code, message } of failures) {
    expect(["CHECK_FILE_UNPARSABLE", "CHECK_FILE_TOO_COMPLEX"]).toContain(code);
    expect(message).toContain(path);
  }
  if (failures.length > 0) expect(findings).toEqual([]);
  else expect(workflows).toBeDefined();
}

const file = fc.constantFrom("a.ts", "a.tsx", "a.mts", "a.cts", "a.js", "a.jsx", "a.mjs", "a.cjs", "a.d.ts");
const module = (body: string): string =>
  `import { workflow } from "raftoral";\nworkflow("w", {}, async (ctx, input) => {\n${body}\n});\n`;

test("the corpus has bodies to damage", () => expect(BODIES.length).toBeGreaterThan(100));

test("sources with pieces cut out, repeated and put elsewhere", () => {
  const bodies = fc
    .array(fc.constantFrom(...BODIES), { minLength: 1, maxLength: 4 })
    .map((parts) => module(parts.join("\n")));
  const cuts = fc.array(fc.tuple(fc.nat(), fc.nat(40), fc.constantFrom("", ...PIECES)), { maxLength: 5 });
  fc.assert(
    fc.property(bodies, cuts, file, (source, edits, path) => {
      let text = source;
      for (const [at, length, piece] of edits) {
        const start = at % (text.length + 1);
        text = text.slice(0, start) + piece + text.slice(start + length);
      }
      checkIsSound(text, path);
    }),
    { numRuns: 1_000 },
  );
});

test("bodies of any pieces", () => {
  const pieces = fc.array(fc.constantFrom(...PIECES, "a", "1", ";", "\n", ", "), { maxLength: 30 });
  fc.assert(
    fc.property(pieces, file, (parts, path) => checkIsSound(module(parts.join("")), path)),
    { numRuns: 2_000 },
  );
});

test("any text, and comments with any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), file, (text, path) => {
      checkIsSound(text, path);
      checkIsSound(`// raftoral-check-disable-${text}\n${module("Date.now();")}`, path);
    }),
    { numRuns: 300 },
  );
});
