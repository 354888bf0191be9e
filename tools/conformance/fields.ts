// Between a message as wire vectors write it (names of the .proto file, bytes as hex, enums by name, defaults left out) and the
// domain object that a codec takes: described by tables, so that each name is written down once and nothing is guessed.

/** A message in a vectors file. */
export interface Fields {
  readonly [name: string]: unknown;
}

/** A domain object, of whatever type the codec wants. */
export interface Domain {
  [key: string]: unknown;
}

export type Kind =
  | "uint"
  | "bool"
  | "string"
  | "bytes"
  /** Absent in the domain object where the message has none. */
  | "optional-bytes"
  | "uints"
  /** Proto names at the place of their domain names; the first of each is the default. */
  | { readonly proto: readonly string[]; readonly domain: readonly string[] }
  | { readonly message: Table; readonly presence: "always" | "optional" | "repeated" };

/** Proto name, domain name, kind. */
export type Table = readonly (readonly [proto: string, domain: string, kind: Kind])[];

/** Names that are the same on both sides. */
export function enumOf(...names: string[]): Kind {
  return { proto: names, domain: names };
}

/** The domain object of `fields`, with every default in place. Throws for a field that the table does not have. */
export function toDomain(table: Table, fields: Fields): Domain {
  const known = new Set(table.map(([proto]) => proto));
  for (const name of Object.keys(fields)) if (!known.has(name)) throw new Error(`the codec has no field ${name}`);
  const domain: Domain = {};
  for (const [proto, key, kind] of table) {
    const value = domainValue(kind, fields[proto], proto);
    if (value !== undefined) domain[key] = value;
  }
  return domain;
}

function domainValue(kind: Kind, value: unknown, name: string): unknown {
  if (typeof kind === "object") {
    if ("message" in kind) return domainMessage(kind.message, kind.presence, value);
    const at = value === undefined ? 0 : kind.proto.indexOf(value as string);
    if (at < 0) throw new Error(`${name}: ${value} is not one of ${kind.proto.join(", ")}`);
    return kind.domain[at];
  }
  switch (kind) {
    case "uint":
      return value ?? 0;
    case "bool":
      return value ?? false;
    case "string":
      return value ?? "";
    case "uints":
      return value ?? [];
    case "bytes":
      return fromHex((value as string | undefined) ?? "");
    case "optional-bytes":
      return value === undefined ? undefined : fromHex(value as string);
  }
}

function domainMessage(table: Table, presence: "always" | "optional" | "repeated", value: unknown): unknown {
  if (presence === "repeated") return ((value ?? []) as readonly Fields[]).map((item) => toDomain(table, item));
  if (value === undefined && presence === "optional") return undefined;
  return toDomain(table, (value ?? {}) as Fields);
}

/** The fields of a domain object, without defaults. */
export function toFields(table: Table, domain: object): Fields {
  const values = domain as Domain;
  const fields: { [name: string]: unknown } = {};
  for (const [proto, key, kind] of table) {
    const value = fieldValue(kind, values[key]);
    if (value !== undefined) fields[proto] = value;
  }
  return fields;
}

function fieldValue(kind: Kind, value: unknown): unknown {
  if (value === undefined || value === 0 || value === false || value === "") return undefined;
  if (value instanceof Uint8Array) return value.length === 0 ? undefined : toHex(value);
  if (Array.isArray(value) && value.length === 0) return undefined;
  if (typeof kind !== "object") return value;
  if ("domain" in kind) {
    const at = kind.domain.indexOf(value as string);
    return at === 0 ? undefined : kind.proto[at];
  }
  if (kind.presence === "repeated") return (value as object[]).map((item) => toFields(kind.message, item));
  const fields = toFields(kind.message, value as object);
  return kind.presence === "always" && Object.keys(fields).length === 0 ? undefined : fields;
}

/** The bytes that `hex` names. Throws for text that is not pairs of hexadecimal digits. */
export function fromHex(hex: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(hex)) throw new Error(`not hex: ${hex}`);
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** Two lower-case hexadecimal digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
