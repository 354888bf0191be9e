/**
 * Messages as plain objects, by a table of their fields.
 *
 * MC1. Fields are written in ascending order of their numbers and defaults are left out, so the bytes are those of any protobuf implementation.
 * MC2. Unknown fields are skipped; of a field that comes twice, the later one counts.
 */
import type { WireReader } from "@raftoral/raft-core/wire";
import type { MessageCodec, OptionalField, WireField } from "./wire-types.ts";

/** A field for every property of a message but those that are fixed: `optional` ones for those that may be absent. */
export type WireFields<T, Fixed extends keyof T = never> = {
  readonly [Property in Exclude<keyof T, Fixed>]-?: undefined extends T[Property]
    ? OptionalField<Exclude<T[Property], undefined>>
    : WireField<T[Property]>;
};

/** A field as the loops below walk over it. Scalars are read and written where the type is looked at: a call for each costs as much as its work. */
interface Entry {
  readonly property: string;
  readonly number: number;
  readonly field: WireField<unknown>;
  /** `other`: by the field's own functions. */
  readonly way: "uint" | "string" | "bytes" | "other";
  readonly isOptional: boolean;
}

/** The codec of a message with these fields. `fixed` are properties that every value has and that are not written. */
export function messageCodec<T extends object, Fixed extends keyof T = never>(
  fields: WireFields<T, Fixed>,
  fixed: Pick<T, Fixed>,
): MessageCodec<T> {
  const entries = Object.entries(fields as Record<string, WireField<unknown>>)
    .map(([property, field]) => entryOf(property, field))
    .sort((a, b) => a.number - b.number);
  const byNumber: (Entry | undefined)[] = [];
  const blank: Record<string, unknown> = { ...fixed };
  for (const entry of entries) {
    byNumber[entry.number] = entry;
    if (!entry.isOptional) blank[entry.property] = entry.field.initial;
  }
  return {
    fields: entries.map(({ property, field }) => [property, field] as const),
    write: (to, value) => {
      const given = value as Readonly<Record<string, unknown>>;
      for (const entry of entries) {
        const found = given[entry.property];
        if (found === undefined) continue;
        const { way } = entry;
        if (way === "uint") to.uint(entry.number, found as number);
        else if (way === "string") to.string(entry.number, found as string);
        else if (way === "bytes") to.bytes(entry.number, found as Uint8Array);
        else entry.field.write(to, found);
      }
    },
    read: (from) => {
      const read = { ...blank };
      for (let number = from.field(); number !== 0; number = from.field()) {
        const entry = byNumber[number];
        if (entry === undefined) {
          from.skip();
          continue;
        }
        const { way } = entry;
        if (way === "uint") read[entry.property] = from.uint();
        else if (way === "string") read[entry.property] = from.string();
        else if (way === "bytes") read[entry.property] = from.bytes();
        else readOther(entry, from, read);
      }
      return read as T;
    },
  };
}

function entryOf(property: string, field: WireField<unknown>): Entry {
  const { number, type, isRepeated } = field;
  const isOptional = "isOptional" in field;
  const isScalar = !isRepeated && !isOptional && (type === "uint" || type === "string" || type === "bytes");
  return { property, number, field, way: isScalar ? type : "other", isOptional };
}

function readOther({ property, field, isOptional }: Entry, from: WireReader, read: Record<string, unknown>): void {
  const found = field.read(from, read[property] ?? field.initial);
  if (isOptional && isDefault(found)) delete read[property];
  else read[property] = found;
}

/** How a value becomes the parts in which it travels, and back. */
export interface Parting<Value, Parts> {
  readonly toParts: (value: Value) => Parts;
  readonly fromParts: (parts: Parts) => Value;
}

/** The codec of a value over that of its parts. */
export function partedCodec<Value, Parts>(
  codec: MessageCodec<Parts>,
  { toParts, fromParts }: Parting<Value, Parts>,
): MessageCodec<Value> {
  return {
    fields: codec.fields ?? [],
    fromParts,
    write: (to, value) => codec.write(to, toParts(value)),
    read: (from) => fromParts(codec.read(from)),
  };
}

/** Whether a value says nothing: proto3 cannot tell such a value from a missing one. */
function isDefault(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return "length" in value && value.length === 0;
  return value === 0 || value === "" || value === false;
}
