/**
 * One request of the JSON API, as its routes see it.
 *
 * JC2. A field that stands for bytes (bytes-as-json.ts BJ1) is a Uint8Array.
 * JC1. What a caller sends is read as far as `maxBytes`. A body is a JSON object whose fields the route knows, or nothing.
 */
import { NodeError } from "../../api/errors.ts";
import { givenInJson } from "../../api/payloads/bytes-as-json.ts";
import type { Workflows } from "../../api/workflows.ts";
import type { ServedNode } from "../served-node.ts";

/** Values by name. */
export type Fields = Readonly<Record<string, unknown>>;

/** A request that a route has been found for. */
export interface JsonCall {
  readonly node: ServedNode;
  /** The node's API in the name of the caller, with values in clear. */
  readonly workflows: Workflows;
  /** Of the path, decoded. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Fields;
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal;
  /** `Last-Event-ID` of a reader of events that comes back. */
  readonly lastEventId: string | undefined;
}

/** The body of a request (JC1, JC2). Throws REQUEST_INVALID, or PAYLOAD_TOO_LARGE as a REQUEST_INVALID of its size. */
export async function bodyOf(request: Request, known: readonly string[], maxBytes: number): Promise<Fields> {
  const text = await textOf(request, maxBytes);
  if (text.trim() === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new NodeError("REQUEST_INVALID", "The body of the request is not JSON. Send an object, or nothing.", {
      cause,
    });
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new NodeError(
      "REQUEST_INVALID",
      "The body of the request must be a JSON object. Put the value into a field.",
    );
  }
  for (const field of Object.keys(body)) {
    if (known.includes(field)) continue;
    const fields = known.length === 0 ? "none" : known.join(", ");
    throw new NodeError(
      "REQUEST_INVALID",
      `The request has no field ${JSON.stringify(field.slice(0, 100))}. It takes these: ${fields}.`,
      { details: { field: field.slice(0, 100) } },
    );
  }
  return Object.fromEntries(Object.entries(body).map(([field, value]) => [field, givenInJson(value)]));
}

async function textOf(request: Request, maxBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request.body ?? []) {
    bytes += piece.length;
    if (bytes > maxBytes) {
      throw new NodeError("REQUEST_INVALID", `The body of the request has more than ${maxBytes} bytes. Send less.`);
    }
    pieces.push(piece);
  }
  return new TextDecoder("utf-8").decode(Buffer.concat(pieces));
}

/** A whole number of the query; undefined when it is left out. Throws REQUEST_INVALID. */
export function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw wrong(name, text, "a whole number from 0");
}

/** A truth of the query; undefined when it is left out. Throws REQUEST_INVALID. */
export function truthIn(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (text === "true" || text === "false") return text === "true";
  throw wrong(name, text, "true or false");
}

/** A text of the query as a property, none when it is left out. */
export function textIn<Name extends string>(query: URLSearchParams, name: Name): { readonly [key in Name]?: string } {
  const text = query.get(name);
  return (text === null ? {} : { [name]: text }) as { readonly [key in Name]?: string };
}

function wrong(name: string, text: string, wanted: string): NodeError {
  return new NodeError(
    "REQUEST_INVALID",
    `Parameter ${name} is ${JSON.stringify(text.slice(0, 100))}; it must be ${wanted}.`,
    { details: { field: name } },
  );
}
