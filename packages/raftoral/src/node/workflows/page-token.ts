/** Page tokens: opaque to users, and of use to one kind of list alone. */
import { pageTokenInvalid } from "../../api/arguments.ts";

/** What the state gives as the beginning of a page. */
const POSITION = /^\d{1,16}(\.\d{1,16}){0,2}$/;

/** Lists that are given in pages. */
export type PagedList = "runs" | "history" | "variables";

/** A token for the page that begins at `position` of a list; undefined when there is no further page. */
export function pageTokenOf(list: PagedList, position: string | undefined): string | undefined {
  return position === undefined ? undefined : Buffer.from(`${list}:${position}`).toString("base64url");
}

/** The position of a token; undefined for the first page. Throws REQUEST_INVALID for a token that no node gave for this list. */
export function positionOf(list: PagedList, pageToken: string | undefined): string | undefined {
  if (pageToken === undefined) return undefined;
  const text = Buffer.from(pageToken, "base64url").toString();
  const position = text.startsWith(`${list}:`) ? text.slice(list.length + 1) : "";
  if (!POSITION.test(position)) throw pageTokenInvalid();
  return position;
}
