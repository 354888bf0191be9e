import { RetryableError, TerminalError } from "@raftoral/workflow";
import { APICallError, LoadAPIKeyError } from "ai";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelFailure } from "./model-failure.ts";

const NOW_MS = Date.parse("2026-01-01T00:00:00Z");
const HOUR_MS = 3_600_000;

function refusal(statusCode: number, responseHeaders: Record<string, string> = {}): APICallError {
  return new APICallError({
    message: "not now",
    url: "https://model.example",
    requestBodyValues: {},
    statusCode,
    responseHeaders,
  });
}

const failure = (thrown: unknown): unknown => modelFailure(thrown, "mock/one", NOW_MS);

describe("a failed call of a model", () => {
  test.each([
    ["a bad request", refusal(400)],
    ["a wrong key", refusal(401)],
    ["a missing key", new LoadAPIKeyError({ message: "no key" })],
  ])("is final: %s", (_, thrown) => {
    const made = failure(thrown);
    expect(made).toBeInstanceOf(TerminalError);
    expect(made).toMatchObject({ code: "MODEL_CALL_REFUSED", cause: thrown });
    expect(String(made)).toContain("Model mock/one refused the call, and no further attempt is made");
  });

  test.each([
    ["seconds", { "retry-after": "7" }, 7_000],
    ["milliseconds, which go first", { "retry-after": "7", "retry-after-ms": "1500.5" }, 1_501],
    ["a date", { "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" }, 60_000],
    ["a date in the past", { "retry-after": "Wed, 31 Dec 2025 00:01:00 GMT" }, 0],
    ["more than an hour", { "retry-after": "86400" }, HOUR_MS],
  ])("names its next attempt by %s", (_, headers, delayMs) => {
    const made = failure(refusal(429, headers));
    expect(made).toBeInstanceOf(RetryableError);
    expect(made).toMatchObject({ delayMs });
  });

  test("names it through the error of a gateway, too", () => {
    const made = failure(new Error("gateway", { cause: refusal(429, { "retry-after": "2" }) }));
    expect(made).toMatchObject({ delayMs: 2_000 });
  });

  test.each([
    ["without a header", refusal(503)],
    ["with a header that says nothing", refusal(503, { "retry-after": "soon" })],
    ["of the network", new TypeError("fetch failed")],
  ])("is left to the retry policy: %s", (_, thrown) => {
    expect(failure(thrown)).toBe(thrown);
  });

  test.each([
    ["a text", "overloaded", "Model mock/one failed: overloaded"],
    ["an object with a message", { message: "overloaded" }, "Model mock/one failed: overloaded"],
    ["an object", { type: "overloaded" }, 'Model mock/one failed: {"type":"overloaded"}'],
    ["nothing", undefined, "Model mock/one failed: undefined"],
  ])("has a message where %s was thrown", (_, thrown, message) => {
    expect(failure(thrown)).toMatchObject({ message });
  });

  test("is an error with a message, whatever the provider throws", () => {
    const header = fc.oneof(fc.string(), fc.nat().map(String), fc.date().map(String));
    const thrown = fc.oneof(
      fc.anything({ withBigInt: true, withNullPrototype: true, withMap: true }),
      fc.record({
        isRetryable: fc.boolean(),
        responseHeaders: fc.dictionary(fc.constantFrom("retry-after", "retry-after-ms"), header),
      }),
      fc.constant(
        new Proxy(
          {},
          {
            get: () => {
              throw new Error("no");
            },
            ownKeys: () => {
              throw new Error("no");
            },
          },
        ),
      ),
    );
    fc.assert(
      fc.property(thrown, (given) => {
        const made = failure(given);
        expect(made).toBeInstanceOf(Error);
        expect((made as Error).message).toBeTypeOf("string");
        if (made instanceof RetryableError) expect(made.delayMs).toSatisfy((ms: number) => ms >= 0 && ms <= HOUR_MS);
      }),
    );
  });
});
