/** What every implementation of `Workflows` does alike with values that are bytes: a part of its suite (workflows-conformance.ts). */
import { expect, test } from "vitest";
import { Payload } from "../../api/payloads/payload.ts";
import type { Workflows } from "../../api/workflows.ts";
import { expectAlike } from "../alike.ts";
import { carrier, echo, given, glimpse, mirrored, pictures, shown } from "../conformance-workflows.ts";

/** Among them a byte that is in no UTF-8 text, and the first bytes of an envelope. */
const PICTURE = Uint8Array.of(0xff, 0x52, 0x50, 0x01, 0x00, 0x80, 0x7b);

/** Declares the tests, within the suite. `subject` gives the implementation once the tests run. */
export function bytesCases(subject: () => { readonly workflows: Workflows }): void {
  test("bytes pass through inputs, steps, signals, variables, updates, queries, streams, children and results", async () => {
    const { workflows } = subject();
    const run = await workflows.start(carrier, PICTURE, { runId: `bytes-${crypto.randomUUID()}` });
    expect((await run.input()).contentType).toBe("application/octet-stream");
    await expect.poll(async () => (await run.describe()).recordCount, { timeout: 10_000 }).toBeGreaterThan(1);
    expect(await run.update(mirrored, PICTURE)).toEqual(PICTURE.toReversed());
    expect(await run.query(glimpse, PICTURE)).toEqual(PICTURE);
    expect(await run.variable(shown)).toEqual(PICTURE.toReversed());
    await run.setVariable(shown, PICTURE.slice(1));
    expect(await run.variable(shown)).toEqual(PICTURE.slice(1));
    const chunks = await Array.fromAsync(run.stream(pictures, { follow: false }));
    expect(chunks.map(({ value }) => value)).toEqual([PICTURE]);
    await run.signal(given, PICTURE);
    const result = await run.result();
    expect(result).toEqual(PICTURE);
    expect(result.constructor).toBe(Uint8Array);
    const records = await Array.fromAsync(run.history());
    expect(records.find(({ path }) => path === "picture#0")?.value.toJSON()).toEqual({
      base64: Buffer.from(PICTURE).toString("base64"),
      contentType: "application/octet-stream",
    });
  });

  test("bytes are the same start again, and empty ones are not undefined", async () => {
    const { workflows } = subject();
    const runId = `bytes-${crypto.randomUUID()}`;
    const run = await workflows.start(echo, Buffer.from(PICTURE), { runId });
    expect((await workflows.start(echo, PICTURE, { runId })).created).toBe(false);
    await expect(workflows.start(echo, PICTURE.slice(1), { runId })).rejects.toMatchObject({
      code: "WORKFLOW_ID_CONFLICT",
    });
    expect(await run.result()).toEqual(PICTURE);
    const empty = await workflows.start(echo, new Uint8Array(0));
    expect(await empty.result()).toEqual(new Uint8Array(0));
    expect(Payload.of(new Uint8Array(0), "it").value()).toEqual(new Uint8Array(0));
  });

  test("bytes within a value are refused, with their place and what to do", async () => {
    const { workflows } = subject();
    for (const nested of [{ picture: { data: PICTURE } }, { picture: { data: Buffer.from(PICTURE) } }]) {
      const started = workflows.start("echo", nested);
      await expectAlike("bytes within a value", started, {
        code: "VALUE_NOT_SERIALIZABLE",
        message: expect.stringMatching(
          /at picture\.data there is a Uint8Array\. Bytes are recorded when they are the whole/,
        ),
      });
    }
    await expectAlike("a buffer", workflows.start("echo", new ArrayBuffer(2)), {
      code: "VALUE_NOT_SERIALIZABLE",
      message: expect.stringContaining("give new Uint8Array(buffer)"),
    });
  });

  test("a step is answered by hand with bytes", async () => {
    const { workflows } = subject();
    const run = await workflows.start(carrier, Uint8Array.of(0), { runId: `bytes-${crypto.randomUUID()}` });
    await run.completeStep("picture", PICTURE);
    await run.signal(given, Uint8Array.of(7));
    expect(await run.result()).toEqual(Uint8Array.of(7));
    expect((await Array.fromAsync(run.history()))[0]?.value.value()).toEqual(PICTURE);
  });
}
