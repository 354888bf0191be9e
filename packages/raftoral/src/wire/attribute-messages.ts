/** Attributes between generated messages and the types of the API, both ways. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type AttributeValue,
  type AttributeValues,
  type DateAttribute,
  givenValue,
  storedValue,
} from "@raftoral/workflow";
import { NodeError } from "../api/errors.ts";
import type { ComparedAttribute } from "../api/finding/filters.ts";
import type {
  AttributeSchema,
  AttributeValueSchema,
  Attribute as WireAttribute,
  AttributeValue as WireValue,
} from "../gen/raftoral/v1/run_pb.ts";
import { safeNumber } from "./numbers.ts";

/** Attributes as messages. */
export function attributesToWire(attributes: AttributeValues): MessageInitShape<typeof AttributeSchema>[] {
  return Object.entries(attributes).map(([name, value]) => ({ name, value: valueToWire(value) }));
}

/** The attributes of messages. Throws REQUEST_INVALID for one without a value. */
export function attributesFromWire(attributes: readonly WireAttribute[]): AttributeValues {
  return Object.fromEntries(attributes.map(({ name, value }) => [name, valueFromWire(name, value)]));
}

/** A value as a message. */
export function valueToWire(value: AttributeValue): MessageInitShape<typeof AttributeValueSchema> {
  if (typeof value === "string") return { value: { case: "text", value } };
  if (typeof value === "number") return { value: { case: "number", value } };
  if (typeof value === "boolean") return { value: { case: "truth", value } };
  const stored = storedValue(value);
  if (Array.isArray(stored)) return { value: { case: "texts", value: { texts: [...stored] } } };
  return { value: { case: "dateMs", value: BigInt((stored as DateAttribute).dateMs) } };
}

/** The value of a message. `name` names the attribute in errors. Throws REQUEST_INVALID for a message without a value. */
export function valueFromWire(name: string, message: WireValue | undefined): AttributeValue {
  const { case: kind, value } = message?.value ?? { case: undefined, value: undefined };
  switch (kind) {
    case "text":
    case "number":
    case "truth":
      return value;
    case "dateMs":
      return givenValue({ dateMs: value < 0n ? -safeNumber(-value, "date_ms") : safeNumber(value, "date_ms") });
    case "texts":
      return value.texts;
    default:
      throw new NodeError(
        "REQUEST_INVALID",
        `Attribute ${name} came without a value. Check that client and node are of one version.`,
      );
  }
}

/** As {@link valueFromWire}, for what attributes are compared with. Throws REQUEST_INVALID for a list, too. */
export function comparedFromWire(name: string, message: WireValue | undefined): ComparedAttribute {
  const value = valueFromWire(name, message);
  if (!isList(value)) return value;
  throw new NodeError(
    "REQUEST_INVALID",
    `Attribute ${name} is compared with a list. Compare it with the texts that the list may have.`,
  );
}

function isList(value: AttributeValue): value is readonly string[] {
  return Array.isArray(value);
}
