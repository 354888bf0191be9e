/**
 * Values of the AI SDK as JSON and back: what models and tools give has Dates, bytes and URLs in it, which JSON does not carry.
 *
 * PV1. `unpacked(packed(value))` equals `value`, but for properties that are undefined, which are left out, and for classes: an instance comes back as a plain object
 *      of its public fields.
 * PV2. A value without such parts is packed as itself, so that a history shows it as it is.
 * PV3. What cannot be packed (a function, a symbol, a Map, more than 100 levels) ends the step's attempts with the place in the message: the next answer would have it, too.
 */
import { TerminalError } from "@raftoral/workflow";

/** Marks what stands for something that JSON does not carry. An object with a property of this name is wrapped. */
const TAG = "~";
const MAX_DEPTH = 100;

/** The kinds of what is marked, with the way from text to value. */
const FROM_TEXT: Readonly<Record<string, (text: string) => unknown>> = {
  undefined: () => undefined,
  number: Number,
  bigint: BigInt,
  date: (text) => new Date(text === "" ? Number.NaN : text),
  url: (text) => new URL(text),
  bytes: (text) => new Uint8Array(Buffer.from(text, "base64")),
};

/** JSON of a value (PV1 to PV3). `what` says whose it is, in the message of the TerminalError. */
export function packed(value: unknown, what: string): unknown {
  return pack(value, what, "", 0);
}

/** The value of what {@link packed} gave. */
export function unpacked(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(unpacked);
  if (typeof json !== "object" || json === null) return json;
  const fields = Object.entries(json);
  const kind: unknown = Reflect.get(json, TAG);
  if (kind === "object") return plain(Object.entries(Object(Reflect.get(json, "value"))));
  const fromText = typeof kind === "string" ? FROM_TEXT[kind] : undefined;
  return fromText === undefined ? plain(fields) : fromText(String(Reflect.get(json, "value")));
}

/** What {@link packed} gave, for people: texts in place of what JSON does not carry, and null for undefined. */
export function shown(json: unknown): unknown {
  return JSON.parse(JSON.stringify(unpacked(json), (_, value) => shownAs(value)) ?? "null");
}

function shownAs(value: unknown): unknown {
  if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))) return String(value);
  return value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value;
}

function pack(value: unknown, what: string, path: string, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : marked("number", String(value));
    case "bigint":
      return marked("bigint", String(value));
    case "undefined":
      return marked("undefined", "");
    case "object":
      return value === null ? null : packObject(value, what, path, depth);
    default:
      throw refused(`a ${typeof value}`, what, path);
  }
}

function packObject(value: object, what: string, path: string, depth: number): unknown {
  if (depth > MAX_DEPTH) throw refused("a cycle, or more than 100 levels", what, `${path.slice(0, 60)}...`);
  if (value instanceof Date) return marked("date", Number.isNaN(value.getTime()) ? "" : value.toISOString());
  if (value instanceof URL) return marked("url", value.href);
  if (value instanceof Uint8Array) {
    return marked("bytes", Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64"));
  }
  if (Array.isArray(value)) return value.map((item, at) => pack(item, what, `${path}[${at}]`, depth + 1));
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  if (tag !== "Object") throw refused(`an object of the kind ${tag}`, what, path);
  const fields = Object.entries(value).flatMap(([name, field]): [string, unknown][] => {
    if (field === undefined) return [];
    return [[name, pack(field, what, path === "" ? name : `${path}.${name}`, depth + 1)]];
  });
  const object = fromEntries(fields);
  return Object.hasOwn(object, TAG) ? { [TAG]: "object", value: object } : object;
}

function marked(kind: string, value: string): object {
  return { [TAG]: kind, value };
}

function plain(fields: readonly (readonly [string, unknown])[]): object {
  return fromEntries(fields.map(([name, field]) => [name, unpacked(field)]));
}

/** An object of own properties, whatever their names: an answer may have one that is called `__proto__`. */
function fromEntries(fields: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(fields);
}

function refused(found: string, what: string, path: string): TerminalError {
  return new TerminalError(
    `The value of ${what} cannot be recorded: ${path === "" ? "it is" : `at ${path} there is`} ${found}. Give text, numbers, dates, URLs, bytes, lists and plain objects.`,
    { code: "VALUE_NOT_SERIALIZABLE" },
  );
}
