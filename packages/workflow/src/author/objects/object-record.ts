/**
 * What an object keeps between its calls, and the messages of its own.
 *
 * OR1. What is kept is one variable, whose value is the input of the next generation as it stands: what a handler may set, a generation may begin with.
 */
import { OWN_PREFIX } from "../../model/update.ts";
import type { VariableDefinition } from "../variable.ts";

/** A call that was sent to begin later. */
export interface DelayedCall {
  /** The id that its sender gave it. */
  readonly id: string;
  /** The handler's name. */
  readonly name: string;
  readonly input?: unknown;
  /** When it begins, in milliseconds since the epoch. */
  readonly atMs: number;
}

/** What is kept of an object (OR1). Without `state` the object has none: it was never set, or was deleted. */
export interface ObjectRecord<State = unknown> {
  readonly state?: State;
  readonly calls: readonly DelayedCall[];
  /** The version of the definition that kept it. */
  readonly version: number;
}

/** The variable that has an object's record. */
export const OBJECT_RECORD: VariableDefinition<ObjectRecord> = { name: "object" };

export { OWN_PREFIX };

/** Deletes the object, once the exclusive calls before have ended. */
export const DELETE_UPDATE = `${OWN_PREFIX}delete`;
/** Keeps a call until its time has come. */
export const SEND_UPDATE = `${OWN_PREFIX}send`;
/** Ends the generation once no call is under way: the next one has the newest code. */
export const RENEW_UPDATE = `${OWN_PREFIX}renew`;

/** What {@link SEND_UPDATE} takes. */
export interface SentCall {
  readonly id: string;
  readonly name: string;
  readonly input?: unknown;
  readonly afterMs: number;
}
