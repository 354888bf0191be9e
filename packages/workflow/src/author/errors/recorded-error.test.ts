import { describe, expect, test } from "vitest";
import { encodeFailure, failureCodec } from "../../model/failure.ts";
import { readerOf } from "../../wire/command-wire.ts";
import { StepFailedError, TerminalError, WorkflowFailedError } from "./errors.ts";
import { recordedError } from "./recorded-error.ts";

/** Without stacks, which differ from machine to machine. */
function plain(error: unknown): unknown {
  return JSON.parse(JSON.stringify(error, (key, value: unknown) => (key === "stack" ? undefined : value)));
}

describe("a recorded error", () => {
  test("keeps causes, an aggregate's errors, numeric codes and stacks (E3)", () => {
    const cause = Object.assign(new Error("refused", { cause: new RangeError("port") }), { code: 111 });
    const recorded = recordedError(new AggregateError([new TypeError("one"), "two"], "all failed", { cause }));
    expect(plain(recorded)).toEqual({
      name: "AggregateError",
      message: "all failed",
      cause: { name: "Error", message: "refused", code: "111", cause: { name: "RangeError", message: "port" } },
      errors: [
        { name: "TypeError", message: "one" },
        { name: "Error", message: "two" },
      ],
    });
    expect(recorded.cause?.stack).toContain("refused");
  });

  test.each<[unknown, string]>([
    [{ status: 404, body: "gone" }, '{"status":404,"body":"gone"}'],
    ["text", "text"],
    [undefined, "undefined"],
    [null, "null"],
    [7n, "7"],
    [Symbol("s"), "Symbol(s)"],
    [Object.create(null), "something that cannot be shown as text was thrown"],
  ])("of what is no error says what it was: %#", (thrown, message) => {
    expect(recordedError(thrown)).toEqual({ name: "Error", message });
  });

  test.each([
    ["no message", { code: 5, why: "x" }, { name: "Error", code: "5", message: '{"code":5,"why":"x"}' }],
    ["a message", { message: "no", why: "x" }, { name: "Error", message: '{"message":"no","why":"x"}' }],
    ["a name", { name: "Denied", message: "no", code: "E" }, { name: "Denied", code: "E", message: "no" }],
  ])("a plain object keeps its fields: one with %s", (_, thrown, recorded) => {
    expect(recordedError(thrown)).toEqual(recorded);
  });

  const hostile: readonly (readonly [string, () => unknown])[] = [
    [
      "a revoked proxy",
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return proxy;
      },
    ],
    [
      "an error whose properties throw",
      () =>
        new Proxy(new Error("x"), {
          get: () => {
            throw new Error("no");
          },
          has: () => {
            throw new Error("no");
          },
        }),
    ],
    [
      "an error of a revoked prototype",
      () => {
        const { proxy, revoke } = Proxy.revocable(Error.prototype, {});
        const error = new Error("x");
        Object.setPrototypeOf(error, proxy);
        revoke();
        return error;
      },
    ],
    ["something that throws as text", () => ({ [Symbol.toPrimitive]: () => ({}), toJSON: () => Promise.reject })],
    [
      "a cause that is the error itself",
      () => {
        const error = new Error("round");
        error.cause = error;
        return error;
      },
    ],
    [
      "causes without end",
      () => {
        let error = new Error("first");
        for (let i = 0; i < 10_000; i++) error = new Error("x".repeat(20_000), { cause: error });
        return error;
      },
    ],
    ["errors without end", () => Object.assign(new Error("many"), { errors: new Array(1e6).fill(new Error("y")) })],
    [
      "errors that are a revoked list",
      () => {
        const { proxy, revoke } = Proxy.revocable([], {});
        revoke();
        return Object.assign(new Error("list"), { errors: proxy });
      },
    ],
    ["text with a lone surrogate", () => new Error("a\ud800b")],
  ];
  test.each(hostile)("of %s is made without throwing, is bounded, and survives the wire (E1, E2)", (_, make) => {
    const recorded = recordedError(make());
    const bytes = encodeFailure(recorded);
    expect(bytes.length).toBeLessThan(200_000);
    expect(failureCodec.read(readerOf(bytes))).toEqual(recorded);
  });

  test("is refused when its bytes have causes without end", () => {
    let bytes = new Uint8Array(0);
    for (let depth = 0; depth < 100; depth++)
      bytes = Buffer.concat([Uint8Array.of(0x2a, ...varint(bytes.length)), bytes]);
    expect(() => failureCodec.read(readerOf(bytes))).toThrow(expect.objectContaining({ code: "COMMAND_INVALID" }));
  });

  test("is the cause of what a body and a caller catch", () => {
    const failure = recordedError(new Error("declined", { cause: Object.assign(new Error("limit"), { code: 51 }) }));
    for (const error of [new StepFailedError("charge#0", 2, failure), new WorkflowFailedError("r", failure)]) {
      expect(error.cause).toMatchObject({ message: "declined", cause: { message: "limit", code: "51" } });
    }
  });
});

test("errors of another copy of the package are recognised (brands), those of subclasses are told apart", async () => {
  // A query makes the module loader load the file once more, as a second node_modules would.
  const copy = (await import(`${new URL("./errors.ts", import.meta.url).href}?copy`)) as typeof import("./errors.ts");
  expect(copy.TerminalError).not.toBe(TerminalError);
  expect(new copy.TerminalError("x")).toBeInstanceOf(TerminalError);
  expect(new copy.CancelledError("x")).not.toBeInstanceOf(TerminalError);
  class Declined extends TerminalError {}
  expect(new Declined("x")).toBeInstanceOf(TerminalError);
  expect(new TerminalError("x")).not.toBeInstanceOf(Declined);
  expect(new copy.TerminalError("x")).not.toBeInstanceOf(Declined);
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
