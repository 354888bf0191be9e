// What the core's codec passes over, because the core has no use for it, though the contract has it: fields that only old
// versions of raft-rs wrote, and whether an empty submessage is there or missing. Generated code carries these and nothing
// else: the other fields of the same vector, and every vector without such details, go through the core's codec alone.

import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Fields } from "./fields.ts";
import type { WireCodec } from "./wire-codecs.ts";

/** Fields of old versions, by their proto names. */
const PASSED_OVER: ReadonlySet<string> = new Set(["sync_log", "deprecated_priority"]);

type Values = Record<string, unknown>;

/** `codec`, which is that of `schema`, with the details that it passes over. */
export function withDetails(schema: DescMessage, codec: WireCodec): WireCodec {
  return {
    encode(fields) {
      const bytes = codec.encode(withoutPassedOver(fields) as Fields);
      const generated = fromBinary(schema, bytes);
      return putDetails(schema, fields, generated) ? toBinary(schema, generated) : bytes;
    },
    decode(bytes) {
      const fields = codec.decode(bytes) as Values;
      takeDetails(schema, fromBinary(schema, bytes), fields);
      return fields;
    },
  };
}

function withoutPassedOver(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutPassedOver);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(([name]) => !PASSED_OVER.has(name));
  return Object.fromEntries(kept.map(([name, item]) => [name, withoutPassedOver(item)]));
}

/** Adds to `generated` the details among `fields`; whether there were any. */
function putDetails(schema: DescMessage, fields: Fields, generated: MessageShape<DescMessage>): boolean {
  const values = generated as unknown as Values;
  let found = false;
  for (const field of schema.fields) {
    const { name, localName } = field;
    const value = fields[name];
    if (value === undefined) continue;
    if (PASSED_OVER.has(name)) {
      values[localName] = typeof value === "number" ? BigInt(value) : value;
      found = true;
    } else if (field.fieldKind === "message") {
      if (values[localName] === undefined) {
        values[localName] = create(field.message);
        found = true;
      }
      found = putDetails(field.message, value as Fields, values[localName] as MessageShape<DescMessage>) || found;
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      const items = values[localName] as readonly MessageShape<DescMessage>[];
      for (const [at, item] of items.entries()) {
        found = putDetails(field.message, (value as readonly Fields[])[at] ?? {}, item) || found;
      }
    }
  }
  return found;
}

/** Adds to `fields` the details that `generated` has. */
function takeDetails(schema: DescMessage, generated: MessageShape<DescMessage>, fields: Values): void {
  const values = generated as unknown as Values;
  for (const field of schema.fields) {
    const { name, localName } = field;
    const value = values[localName];
    if (PASSED_OVER.has(name)) {
      if (value !== false && value !== 0n) fields[name] = typeof value === "bigint" ? Number(value) : value;
    } else if (field.fieldKind === "message" && value !== undefined) {
      fields[name] ??= {};
      takeDetails(field.message, value as MessageShape<DescMessage>, fields[name] as Values);
    } else if (field.fieldKind === "list" && field.listKind === "message") {
      for (const [at, item] of (value as readonly MessageShape<DescMessage>[]).entries()) {
        takeDetails(field.message, item, (fields[name] as readonly Values[])[at] as Values);
      }
    }
  }
}
