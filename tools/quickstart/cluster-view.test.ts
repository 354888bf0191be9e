import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ClusterView, type Leader } from "./cluster-view.ts";

type Event = Parameters<ClusterView["hear"]>[1];

const recorded = (index: number, key: string, owner = 1): Event => ({
  type: "record-committed",
  index,
  position: index * 128,
  atMs: 0,
  runId: "A",
  path: key,
  kind: "step",
  workflowType: "t",
  value: new Uint8Array(1),
  owner,
  epoch: owner,
});

describe("the view of the cluster", () => {
  let told: string[] = [];
  let leaders: Leader[] = [];
  let view: ClusterView;

  beforeEach(() => {
    vi.useFakeTimers();
    told = [];
    leaders = [];
    view = new ClusterView({
      onFact: ({ event, nodes }) => told.push(`${event.index}:${[...nodes].sort().join("")}`),
      onLeader: (leader) => leaders.push(leader),
    });
    for (const nodeId of [1, 2, 3]) view.nodeIsUp(nodeId);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("tells a fact once all services that are up have it, in the order of the log", () => {
    view.hear(1, recorded(11, "b#0"));
    view.hear(2, recorded(10, "a#0"));
    for (const nodeId of [2, 3]) view.hear(nodeId, recorded(11, "b#0"));
    expect(told).toEqual([]);
    for (const nodeId of [1, 3]) view.hear(nodeId, recorded(10, "a#0"));
    expect(told).toEqual(["10:123", "11:123"]);
  });

  test("tells it without a service that is down, and after a moment without one that is slow", () => {
    for (const nodeId of [1, 2]) view.hear(nodeId, recorded(10, "a#0"));
    view.nodeIsDown(3);
    expect(told).toEqual(["10:12"]);
    view.hear(1, recorded(11, "b#0"));
    vi.advanceTimersByTime(299);
    expect(told).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(told).toEqual(["10:12", "11:1"]);
  });

  test("tells nothing again when a restarted service sees the log once more", () => {
    for (const nodeId of [1, 2, 3, 3]) view.hear(nodeId, recorded(10, "a#0"));
    expect(told).toEqual(["10:123"]);
  });

  test("knows who owns a run and what is recorded of it before it is told", () => {
    const at = { index: 9, atMs: 0, runId: "A", workflowType: "w", family: 1, deadlineAtMs: 0 };
    view.hear(1, {
      type: "owner-changed",
      ...at,
      from: 1,
      to: 2,
      epoch: 2,
      reason: "node-failure",
      ownerLosses: 1,
      cancelReason: undefined,
    });
    view.hear(1, recorded(10, "a#0", 2));
    expect(told).toEqual([]);
    expect(view.runs.get("A")).toMatchObject({ owner: 2, epoch: 2, hasEnded: false });
    expect(view.runs.get("A")?.recorded.get("a#0")).toEqual({ key: "a#0", index: 10, node: 2, epoch: 2 });
  });

  test("takes the leader of the latest term, and none that is down", () => {
    view.knowLeader(1, 2);
    view.knowLeader(2, 1);
    view.knowLeader(0, 3);
    expect(view.leader).toMatchObject({ nodeId: 1, term: 2 });
    view.nodeIsDown(1);
    view.knowLeader(1, 2);
    expect(view.leader).toBeUndefined();
    view.knowLeader(3, 3);
    expect(leaders.map(({ nodeId }) => nodeId)).toEqual([1, 3]);
  });

  test("a wait ends with what it waited for, or names it", async () => {
    const key = view.until(1_000, "the step", () => view.runs.get("A")?.recorded.get("a#0")?.key);
    view.hear(1, recorded(10, "a#0"));
    await expect(key).resolves.toBe("a#0");
    const never = expect(view.until(1_000, "a miracle", () => undefined)).rejects.toThrow(
      "a miracle: not within 1000 ms",
    );
    vi.advanceTimersByTime(1_000);
    await never;
  });
});
