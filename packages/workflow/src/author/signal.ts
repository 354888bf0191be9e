/**
 * Definitions of signals: one value that senders and bodies share, so that both know the payload's type.
 *
 * SD1. A definition has two types, as a workflow has: what senders give, which the record does not change, and what a wait gives to the body.
 *      Without a schema they are one.
 */

import { escapedName } from "./step-path.ts";
import type { Unchanged } from "./values/recorded.ts";
import type { StandardSchemaV1 } from "./values/schema.ts";

/** A signal's name with the types of its payload. Made by {@link signal}. Senders give `Given`, a wait gives `Payload`. */
export interface SignalDefinition<Given = unknown, Payload = unknown> {
  readonly name: string;
  /** Checks payloads where they are sent, and makes of the recorded payload what the body gets. */
  readonly schema: StandardSchemaV1 | undefined;
  /** Types alone; no definition has this property. */
  readonly "~types"?: { readonly given: Given; readonly payload: Payload };
}

/** What a wait gives for a signal: of a definition its payload, of a name anything. */
export type SignalPayload<Signal> = Signal extends SignalDefinition<unknown, infer Payload> ? Payload : unknown;

/**
 * Defines a signal: `signal<Approval>("approval")`, `signal("approval", schema)`, or `signal("go")` for one without a payload. Throws NAME_INVALID.
 */
export function signal<Payload extends Unchanged<Payload> = undefined>(
  name: string,
): SignalDefinition<Payload, Payload>;
/**
 * Defines a signal with a schema: `signal("approval", schema)`. Senders are checked against the schema, and a wait gives what the schema makes of the
 * payload. Throws NAME_INVALID.
 */
export function signal<Given extends Unchanged<Given>, Payload>(
  name: string,
  schema: StandardSchemaV1<Given, Payload>,
): SignalDefinition<Given, Payload>;
export function signal(name: string, schema?: StandardSchemaV1): SignalDefinition {
  escapedName(name);
  return { name, schema };
}
