import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseOptions, UserError } from "./options.ts";
import { type Order, parseOrders, readOrders } from "./orders.ts";

const GOOD: Order = { id: "A-1", customer: "Ada", item: "lamp", quantity: 2, price: 1.5 };

/** What is said about a file with these orders. */
function complaint(orders: unknown): string {
  try {
    parseOrders(typeof orders === "string" ? orders : JSON.stringify(orders), "orders.json");
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
  throw new Error("nothing was said");
}

describe("orders", () => {
  test("of the sample are all right", async () => {
    const orders = await readOrders(join(import.meta.dirname, "orders.json"));
    expect(orders.length).toBeGreaterThanOrEqual(6);
  });

  test("keep their fields; fields that are not known are left out", () => {
    expect(parseOrders(JSON.stringify([{ ...GOOD, note: "gift" }]), "orders.json")).toEqual([GOOD]);
  });

  test.each([
    ["a number as text", { ...GOOD, quantity: "two" }, 'order 2 (A-1): "quantity" is "two"; it must be a whole number'],
    ["a part of a piece", { ...GOOD, quantity: 1.5 }, 'order 2 (A-1): "quantity" is 1.5'],
    ["a missing field", { ...GOOD, price: undefined }, 'order 2 (A-1): "price" is missing'],
    ["a negative price", { ...GOOD, price: -1 }, 'order 2 (A-1): "price" is -1'],
    ["an empty id", { ...GOOD, id: " " }, 'order 2: "id" is " "'],
    ["a line break in a text", { ...GOOD, item: "two\nlines" }, 'order 2 (A-1): "item" is "two\\nlines"'],
    ["something else than an order", 7, "order 2 is 7; it must be an object"],
    ["nothing", null, "order 2 is null; it must be an object"],
  ])("with %s are refused, naming order and field", (_, order, message) => {
    expect(complaint([{ ...GOOD, id: "A-0" }, order])).toContain(message);
  });

  test("with the same id are refused, naming both", () => {
    expect(complaint([GOOD, { ...GOOD, id: "B" }, GOOD])).toContain('order 3: "id" is "A-1", as in order 1');
  });

  test("with many mistakes name the first ten and count the rest", () => {
    const message = complaint(Array.from({ length: 15 }, (_, i) => ({ ...GOOD, id: `A-${i}`, price: "free" })));
    expect(message.split("\n")).toHaveLength(12);
    expect(message).toContain("and 5 more");
  });

  test.each([
    ["is not JSON", '[{"id": ]', "orders.json is not JSON: "],
    ["is no list", "{}", "orders.json has {} where a list of orders is expected"],
    ["is empty", "[]", "orders.json has no orders"],
    ["is too long", JSON.stringify(Array(101).fill(GOOD)), "takes 100 at most"],
  ])("in a file that %s are refused, naming the file", (_, text, message) => {
    expect(complaint(text)).toContain(message);
  });

  test("in a file that does not exist are refused, naming the file and the option", async () => {
    await expect(readOrders("/no/such/orders.json")).rejects.toThrow(
      "/no/such/orders.json: There is no such file. Give the orders' file with --orders FILE.",
    );
  });
});

describe("options", () => {
  test("name a file relative to where the user is", () => {
    expect(parseOptions(["--orders", "my.json"], "/home/me")?.ordersFile).toBe(join("/home/me", "my.json"));
  });

  test("ask for help, or are refused with it", () => {
    expect(parseOptions(["--help"], "/")).toBeUndefined();
    expect(() => parseOptions(["--order", "x"], "/")).toThrow(
      /Unknown option '--order'[\s\S]*Usage: npm run quickstart/,
    );
    expect(() => parseOptions(["--orders", ""], "/")).toThrow(UserError);
  });
});
