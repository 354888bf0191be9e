/** Page tokens: opaque to users, and of use to one kind of list alone. */
import type { RunSort } from "@raftoral/workflow";
import { pageTokenInvalid } from "../../api/arguments.ts";
import type { NodeError } from "../../api/errors.ts";

/** What the state gives as the beginning of a page. */
const POSITION = /^\d{1,16}(\.\d{1,16}){0,2}$/;

/** Lists that are given in pages. */
export type PagedList =
  | `runs/${RunSort}`
  | `runs/${RunSort}/ascending`
  | "history"
  | "variables"
  | "events"
  | "bulk"
  | "audit";

/** A token for the schedules after this one. */
export function schedulePageToken(scheduleId: string): string {
  return Buffer.from(`schedules:${scheduleId}`).toString("base64url");
}

/** The id that {@link schedulePageToken} was given; undefined for the first page. Throws REQUEST_INVALID for what is no such token. */
export function schedulePosition(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const text = Buffer.from(token, "base64url").toString();
  if (!text.startsWith("schedules:")) throw pageTokenInvalid();
  return text.slice("schedules:".length);
}

/** A token for what begins at `position` of a list. */
export function pageTokenOf(list: PagedList, position: string): string;
/** The same; undefined when there is no further page. */
export function pageTokenOf(list: PagedList, position: string | undefined): string | undefined;
/** As the overloads say. */
export function pageTokenOf(list: PagedList, position: string | undefined): string | undefined {
  return position === undefined ? undefined : Buffer.from(`${list}:${position}`).toString("base64url");
}

/** The position of a token. Throws REQUEST_INVALID, or what `refusal` gives, for a token that no node gave for this list. */
export function positionOf(list: PagedList, token: string, refusal?: () => NodeError): string;
/** The same; undefined for the first page. */
export function positionOf(list: PagedList, token: string | undefined, refusal?: () => NodeError): string | undefined;
/** As the overloads say. */
export function positionOf(
  list: PagedList,
  token: string | undefined,
  refusal: () => NodeError = pageTokenInvalid,
): string | undefined {
  if (token === undefined) return undefined;
  const text = Buffer.from(token, "base64url").toString();
  const position = text.startsWith(`${list}:`) ? text.slice(list.length + 1) : "";
  if (!POSITION.test(position)) throw refusal();
  return position;
}
