import { expect, test } from "vitest";
import { HandClock } from "../../../testing/hand-clock.ts";
import { Heartbeats } from "./heartbeats.ts";

test("HB2: an attempt that is over commits nothing, hears nothing and is not silent for too long", async () => {
  const clock = new HandClock();
  const committed: number[] = [];
  let silences = 0;
  const underWay = Promise.withResolvers<void>();
  const commit = (details: Uint8Array): Promise<void> => {
    committed.push(details[0] ?? 0);
    return underWay.promise;
  };
  const onSilence = (): void => {
    silences += 1;
  };
  const heartbeats = new Heartbeats({ clock, commit, timeoutMs: 1_000, onSilence, details: new Uint8Array(0) });
  heartbeats.beat(Uint8Array.of(1));
  heartbeats.beat(Uint8Array.of(2));
  const ended = heartbeats.end();
  heartbeats.beat(Uint8Array.of(3));
  underWay.resolve();
  await ended;
  await clock.advance(60_000);
  expect([committed, silences]).toEqual([[1], 0]);
  expect(heartbeats.details).toEqual(Uint8Array.of(2));
});
