// The orders to process: read from a JSON file and checked, so that a mistake is reported by order and field.

import { readFile } from "node:fs/promises";
import { UserError } from "./options.ts";

export interface Order {
  /** Also the id of the workflow run, so that submitting an order twice processes it once. */
  readonly id: string;
  readonly customer: string;
  readonly item: string;
  readonly quantity: number;
  /** Of one piece. */
  readonly price: number;
}

/** More would not fit into a minute and a screen. */
const MAX_ORDERS = 100;
const MAX_TEXT_LENGTH = 100;
const MAX_SHOWN_PROBLEMS = 10;

const TEXT = `be one line of text, 1 to ${MAX_TEXT_LENGTH} characters`;

interface Rule {
  readonly field: keyof Order;
  readonly must: string;
  readonly holds: (value: unknown) => boolean;
}

const RULES: readonly Rule[] = [
  { field: "id", must: TEXT, holds: isText },
  { field: "customer", must: TEXT, holds: isText },
  { field: "item", must: TEXT, holds: isText },
  {
    field: "quantity",
    must: "be a whole number from 1 to 1000",
    holds: (value) => typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 1000,
  },
  {
    field: "price",
    must: "be a number from 0 to 1000000",
    holds: (value) => typeof value === "number" && value >= 0 && value <= 1_000_000,
  },
];

/** The orders of a file. Throws UserError for a file that cannot be read, is not JSON, or has an order that is not right. */
export async function readOrders(file: string): Promise<readonly Order[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const reason = isMissing ? "There is no such file" : `It cannot be read (${message(error)})`;
    throw new UserError(`${file}: ${reason}. Give the orders' file with --orders FILE.`);
  }
  return parseOrders(text, file);
}

/** As {@link readOrders}, of a text; `file` is named in what is thrown. */
export function parseOrders(text: string, file: string): readonly Order[] {
  let value: unknown;
  try {
    // Some editors begin a file with a byte order mark.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new UserError(`${file} is not JSON: ${message(error)}.`);
  }
  if (!Array.isArray(value)) {
    throw new UserError(`${file} has ${shown(value)} where a list of orders is expected: [{ "id": "A-1", ... }, ...].`);
  }
  if (value.length === 0) throw new UserError(`${file} has no orders. Write at least one.`);
  if (value.length > MAX_ORDERS) {
    throw new UserError(`${file} has ${value.length} orders; the quickstart takes ${MAX_ORDERS} at most.`);
  }
  const problems = value.flatMap((order, position) => problemsOf(order, position));
  problems.push(...duplicates(value));
  if (problems.length > 0) throw new UserError(report(file, problems));
  return value.map(({ id, customer, item, quantity, price }: Order) => ({ id, customer, item, quantity, price }));
}

function problemsOf(order: unknown, position: number): readonly string[] {
  if (typeof order !== "object" || order === null || Array.isArray(order)) {
    return [`${nameOf(order, position)} is ${shown(order)}; it must be an object with ${fields()}`];
  }
  const given = order as Readonly<Record<string, unknown>>;
  return RULES.flatMap(({ field, must, holds }) => {
    if (holds(given[field])) return [];
    const problem = Object.hasOwn(given, field) ? `is ${shown(given[field])}` : "is missing";
    return [`${nameOf(order, position)}: "${field}" ${problem}; it must ${must}`];
  });
}

function duplicates(orders: readonly unknown[]): readonly string[] {
  const first = new Map<unknown, number>();
  return orders.flatMap((order, position) => {
    const id = (order as Partial<Order> | null)?.id;
    if (!isText(id)) return [];
    const earlier = first.get(id);
    if (earlier !== undefined) {
      return [`order ${position + 1}: "id" is ${shown(id)}, as in order ${earlier + 1}; each order needs its own`];
    }
    first.set(id, position);
    return [];
  });
}

function report(file: string, problems: readonly string[]): string {
  const more = problems.length - MAX_SHOWN_PROBLEMS;
  const lines = problems.slice(0, MAX_SHOWN_PROBLEMS).map((problem) => `  ${problem}.`);
  if (more > 0) lines.push(`  and ${more} more.`);
  return `${file} cannot be used:\n${lines.join("\n")}`;
}

/** `order 3 (A-1003)`: by its place, and its id if it has one. */
function nameOf(order: unknown, position: number): string {
  const id = (order as Partial<Order> | null)?.id;
  return `order ${position + 1}${isText(id) ? ` (${id})` : ""}`;
}

function fields(): string {
  return RULES.map(({ field }) => `"${field}"`).join(", ");
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}

function isText(value: unknown): value is string {
  if (typeof value !== "string" || value.trim() === "" || value.length > MAX_TEXT_LENGTH) return false;
  return !/\p{Cc}/u.test(value);
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
