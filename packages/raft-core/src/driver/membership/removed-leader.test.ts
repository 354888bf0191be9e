import { afterEach, describe, expect, test } from "vitest";
import type { RaftError } from "../../errors.ts";
import type { Message } from "../../message.ts";
import { stopAll, trio } from "../../testing/internal/groups/manual-group.ts";

afterEach(stopAll);

test("a leader that is removed tells of it, and its call ends, only when the others can go on without it", async () => {
  const { clock, wires, first, second, third } = await trio();
  await Promise.all([first.cluster.propose("opens the session"), clock.settle()]);
  const events: string[] = [];
  first.cluster.on(({ type }) => events.push(type));
  // No message that tells the others of the committed change arrives, nor any request to take over.
  let isCut = true;
  for (const id of [2, 3]) {
    const receiver = wires.receiver(id);
    const receive = receiver.receive.bind(receiver);
    const { commit } = first.cluster.status();
    const passes = (m: Message) => !isCut || (m.type !== "MsgTimeoutNow" && m.commit <= commit);
    receiver.receive = (from, messages) => receive(from, messages.filter(passes));
  }
  const changed = first.cluster.changeMembership([{ type: "RemoveNode", nodeId: 1 }], { timeoutMs: 60_000 });
  let isDone = false;
  void changed.then(() => {
    isDone = true;
  });
  for (let tick = 0; tick < 1_000 && !events.includes("members"); tick++) {
    clock.tick();
    await clock.settle();
  }
  expect(first.cluster.status().confState.voters).toEqual([2, 3]);
  expect(second.cluster.status().confState.voters).toEqual([1, 2, 3]);
  expect([first.cluster.isLeader, isDone, events.includes("removed")]).toEqual([true, false, false]);
  isCut = false;
  for (let tick = 0; tick < 5; tick++) {
    clock.tick();
    await clock.settle();
  }
  await changed;
  expect([first.cluster.isLeader, events.includes("removed")]).toEqual([false, true]);
  expect(third.cluster.status().confState.voters).toEqual([2, 3]);
  expect([2, 3]).toContain(second.cluster.leader);
});

describe("a leader that is removed and loses its office before the others know", () => {
  async function deposed() {
    const group = await trio();
    const { clock, wires, first } = group;
    await Promise.all([first.cluster.propose("opens the session"), clock.settle()]);
    const events: string[] = [];
    first.cluster.on(({ type }) => events.push(type));
    const { commit } = first.cluster.status();
    const link = { passes: (m: Message) => m.type !== "MsgTimeoutNow" && m.commit <= commit };
    for (const id of [1, 2, 3]) {
      const receiver = wires.receiver(id);
      const receive = receiver.receive.bind(receiver);
      receiver.receive = (from, messages) =>
        receive(
          from,
          messages.filter((m) => link.passes(m)),
        );
    }
    const timeoutMs = 3_000;
    const changed = first.cluster.changeMembership([{ type: "RemoveNode", nodeId: 1 }], { timeoutMs }).then(
      () => "done",
      (error: RaftError) => error.code,
    );
    const tickUntil = async (isReached: () => boolean): Promise<void> => {
      for (let tick = 0; tick < 1_000 && !isReached(); tick++) {
        clock.tick();
        await clock.settle();
      }
      expect(isReached()).toBe(true);
    };
    await tickUntil(() => events.includes("members"));
    // Messages stop arriving until the leader has given up.
    link.passes = () => false;
    await tickUntil(() => !first.cluster.isLeader);
    expect(events).not.toContain("removed");
    return { ...group, events, link, changed, tickUntil };
  }

  test("tells of its removal when a member says so, and not before", async () => {
    const { events, link, changed, tickUntil, second, wires } = await deposed();
    link.passes = () => true;
    await tickUntil(() => second.cluster.leader > 1);
    expect(second.cluster.status().confState.voters).toEqual([2, 3]);
    expect(events).not.toContain("removed");
    let outcome: string | undefined;
    void changed.then((what) => {
      outcome = what;
    });
    await tickUntil(() => outcome !== undefined);
    expect(outcome).toBe("DEADLINE_EXCEEDED");
    wires.receiver(1).removed?.(2);
    wires.receiver(1).removed?.(3);
    expect(events.filter((type) => type === "removed")).toHaveLength(1);
  });
});

test("a leader that removes another is done when the group does not need that one any more", async () => {
  const { clock, wires, first, second } = await trio();
  await Promise.all([first.cluster.propose("opens the session"), clock.settle()]);
  // Only the leader's own disk takes the entry that follows the change.
  const { lastIndex } = first.cluster.status();
  const receiver = wires.receiver(1);
  const receive = receiver.receive.bind(receiver);
  let isCut = true;
  receiver.receive = (from, messages) =>
    receive(
      from,
      messages.filter((m) => !isCut || m.type !== "MsgAppResp" || m.index <= lastIndex + 1),
    );
  let isDone = false;
  const changed = first.cluster.changeMembership([{ type: "RemoveNode", nodeId: 3 }]).then(() => {
    isDone = true;
  });
  await clock.settle();
  for (const { cluster } of [first, second]) expect(cluster.status().confState.voters).toEqual([1, 2]);
  expect(isDone).toBe(false);
  isCut = false;
  for (let tick = 0; tick < 5; tick++) {
    clock.tick();
    await clock.settle();
  }
  await changed;
});
