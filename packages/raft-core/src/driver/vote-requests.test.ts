import { afterEach, expect, test } from "vitest";
import { stopAll, trio } from "../testing/internal/groups/manual-group.ts";

afterEach(stopAll);

test("D1: asks no voter before its own write is done, also when it is handed the leadership", async () => {
  const { clock, wires, first, second } = await trio();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const write = second.storage.write.bind(second.storage);
  second.storage.write = async (batch) => {
    await held;
    await write(batch);
  };
  wires.sent.length = 0;
  const requests = () => wires.sent.filter(({ type }) => type === "MsgVote").length;
  const moved = first.cluster.transferLeadership(2);
  await clock.settle();
  expect(wires.sent.some(({ type }) => type === "MsgTimeoutNow")).toBe(true);
  expect(requests()).toBe(0);
  release();
  await clock.settle();
  expect(requests()).toBe(2);
  await moved;
  expect(second.cluster.leader).toBe(2);
});
