// Checks a vectors file: encoding `fields` gives `hex`, decoding `hex` gives `fields`.

import type { CheckResult } from "./check-file.ts";
import { type Fields, fromHex, toHex } from "./fields.ts";
import { unifiedDiff } from "./unified-diff.ts";
import { WIRE_CODECS, type WireCodec } from "./wire-codecs.ts";

interface Vector {
  readonly type: string;
  readonly fields: Fields;
  readonly hex: string;
}

/** Bytes in a line of a diff. */
const BYTES_A_LINE = 32;

/** Checks the text of one file of vectors. `name` stands in what is reported. */
export function checkVectors(name: string, text: string): CheckResult {
  const vectors = parse(text);
  const problems: string[] = [];
  let failures = 0;
  for (const [at, vector] of vectors.entries()) {
    const found = checkVector(`${name}#${at} ${vector.type}`, vector);
    if (found.length > 0) failures++;
    problems.push(...found);
  }
  return { checks: vectors.length, failures, problems };
}

function parse(text: string): readonly Vector[] {
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed) || !parsed.every(isVector)) {
    throw new Error("not a vectors file: a list of objects with type, fields and hex");
  }
  return parsed;
}

function isVector(value: unknown): value is Vector {
  const { type, fields, hex } = (value ?? {}) as Partial<Vector>;
  return typeof type === "string" && typeof fields === "object" && fields !== null && typeof hex === "string";
}

function checkVector(name: string, { type, fields, hex }: Vector): string[] {
  const codec: WireCodec | undefined = WIRE_CODECS.get(type);
  if (codec === undefined) return [`${name}: there is no codec for this type`];
  const bytes = attempt(() => hexLines(toHex(codec.encode(fields))));
  const decoded = attempt(() => fieldLines(codec.decode(fromHex(hex))));
  return [
    ...unifiedDiff({ expected: `${name} bytes`, actual: "encoded" }, hexLines(hex.toLowerCase()), bytes),
    ...unifiedDiff({ expected: `${name} fields`, actual: "decoded" }, fieldLines(fields), decoded),
  ];
}

/** What `body` returns, or its error as a line. */
function attempt(body: () => string[]): string[] {
  try {
    return body();
  } catch (error) {
    return [String(error)];
  }
}

function hexLines(hex: string): string[] {
  return hex.match(new RegExp(`.{1,${BYTES_A_LINE * 2}}`, "g")) ?? [];
}

/** One line for each value; fields in the order of their names, which does not matter to protobuf. */
function fieldLines(fields: Fields): string[] {
  return JSON.stringify(sorted(fields), undefined, 1).split("\n");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}
