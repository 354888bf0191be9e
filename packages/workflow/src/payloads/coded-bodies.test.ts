/**
 * The runtime's own tests once more, on nodes that encode every value by an asynchronous codec: bodies see no difference.
 */
import { afterAll, TestRunner, vi } from "vitest";

// As in runtime/engine/message-channel.test.ts: the codec of these worlds must reach no other file.
vi.resetModules();
const { payloads } = await import("../testing/workflow-world.ts");
const { FlippingCodec } = await import("../testing/test-codecs.ts");
payloads.codec = () => new FlippingCodec("k");
afterAll(() => vi.resetModules());

/** Imports a test file, whose tests are tests of this file from then on. */
async function again(file: () => Promise<unknown>): Promise<void> {
  const { tasks } = TestRunner.getCurrentSuite();
  const before = tasks.length;
  await file();
  if (tasks.length === before) throw new Error(`${file} has registered no tests: its module was imported before.`);
}

await again(() => import("../runtime/runs.test.ts"));
await again(() => import("../runtime/steps.test.ts"));
await again(() => import("../runtime/waiting.test.ts"));
await again(() => import("../runtime/bodies.test.ts"));
await again(() => import("../runtime/bodies-alone.test.ts"));
await again(() => import("../runtime/cancellation.test.ts"));
await again(() => import("../runtime/takeover.test.ts"));
await again(() => import("../runtime/tokens.test.ts"));
await again(() => import("../runtime/attributes.test.ts"));
await again(() => import("../runtime/map.test.ts"));
await again(() => import("../runtime/rounds.test.ts"));
await again(() => import("../runtime/replay-order.test.ts"));
await again(() => import("../runtime/records-in-order.test.ts"));
await again(() => import("../runtime/hearing.test.ts"));
await again(() => import("../runtime/code-mismatch.test.ts"));
await again(() => import("../runtime/streams/streams.test.ts"));
await again(() => import("../runtime/children/children.test.ts"));
await again(() => import("../runtime/children/generations.test.ts"));
await again(() => import("../runtime/mending/pausing.test.ts"));
await again(() => import("../runtime/mending/retries.test.ts"));
await again(() => import("../runtime/mending/forks.test.ts"));
await again(() => import("../runtime/mending/evicted-runs.test.ts"));
await again(() => import("../runtime/mending/updates.test.ts"));
await again(() => import("../runtime/handlers/updates.test.ts"));
await again(() => import("../runtime/calls/parsed.test.ts"));
