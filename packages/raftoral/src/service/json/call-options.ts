/** Options of the API out of a request's query. What they may be, the API says. */
import type { CallOptions, Consistency, ReadOptions, ReasonOptions } from "../../api/call-options.ts";
import type { RunFilter, TimeFilter } from "../../api/finding/filters.ts";
import type { RunStatus } from "../../api/runs.ts";
import type { PageOptions } from "../../api/workflows.ts";
import { type JsonCall, numberIn, textIn } from "./json-call.ts";

/** Prefix of the parameters that are conditions on attributes. */
const ATTRIBUTE = "attribute.";

/** Limits of a call. */
export function callOptions({ query, signal }: JsonCall): CallOptions {
  const timeoutMs = numberIn(query, "timeoutMs");
  return { signal, ...(timeoutMs === undefined ? {} : { timeoutMs }) };
}

/** Limits of a deletion, and why. */
export function deleteOptions(call: JsonCall): ReasonOptions {
  return { ...callOptions(call), ...textIn(call.query, "reason") };
}

/** Limits of a read. */
export function readOptions(call: JsonCall): ReadOptions {
  return { ...callOptions(call), ...consistencyIn(call) };
}

/** How recent the answer of a read must be. */
export function consistencyIn({ query }: Pick<JsonCall, "query">): Pick<ReadOptions, "consistency"> {
  const consistency = query.get("consistency");
  // Another text is refused by the API.
  return consistency === null ? {} : { consistency: consistency as Consistency };
}

/** Limits of a page. */
export function pageOptions(call: JsonCall): PageOptions {
  const pageSize = numberIn(call.query, "pageSize");
  const pageToken = call.query.get("pageToken");
  return {
    ...readOptions(call),
    ...(pageSize === undefined ? {} : { pageSize }),
    ...(pageToken === null ? {} : { pageToken }),
  };
}

/** Which runs are wanted. */
export function filterIn({ query }: JsonCall): RunFilter {
  const text = (name: string): string | undefined => query.get(name) ?? undefined;
  const status = query.getAll("status") as RunStatus[];
  const owner = numberIn(query, "owner");
  const names = new Set([...query.keys()].filter((key) => key.startsWith(ATTRIBUTE)));
  const attributes = Object.fromEntries(
    [...names].map((key) => [key.slice(ATTRIBUTE.length), { in: query.getAll(key).map(attributeIn) }]),
  );
  const [created, ended] = [timesIn(query, "created"), timesIn(query, "ended")];
  const given = {
    workflowType: text("type"),
    parent: text("parent"),
    runIdPrefix: text("idPrefix"),
    queue: text("queue"),
    sort: text("sort"),
    order: text("order"),
    owner,
    created,
    ended,
    status: status.length === 0 ? undefined : status,
    attributes: names.size === 0 ? undefined : attributes,
  };
  // What is no filter is refused by the API.
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as RunFilter;
}

function timesIn(query: URLSearchParams, name: string): TimeFilter | undefined {
  const [from, before] = [numberIn(query, `${name}FromMs`), numberIn(query, `${name}BeforeMs`)];
  if (from === undefined && before === undefined) return undefined;
  return { ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) };
}

/** A number, true or false where the text is one; a text in quotes is a text. */
function attributeIn(text: string): string | number | boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : text;
  } catch {
    return text;
  }
}
