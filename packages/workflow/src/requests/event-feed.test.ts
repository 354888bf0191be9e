import { platformClock } from "@raftoral/raft-core";
import { describe, expect, test } from "vitest";
import { workflow } from "../author/workflow.ts";
import type { EngineListener } from "../runtime/engine/workflow-engine.ts";
import type { WorkflowEvent } from "../state/workflow-event.ts";
import { world } from "../testing/workflow-world.ts";
import { type EventBounds, EventFeed, type EventPosition, type FeedEvent } from "./event-feed.ts";

const ALL = () => true;
const SOON = { timeoutMs: 60_000 };

function signal(index: number, name: string, payload: Uint8Array = new Uint8Array(1)): FeedEvent {
  return { type: "signal-buffered", index, atMs: index, runId: "r", workflowType: "t", name, payload };
}

/** A feed of an engine that a test speaks for. */
function feedOf(appliedIndex = 0, bounds: EventBounds = {}) {
  const listeners = new Set<EngineListener>();
  const engine = {
    subscribe: (listener: EngineListener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    overview: async () => ({ appliedIndex }),
  };
  const feed = new EventFeed(engine, platformClock, bounds);
  const say = (...events: WorkflowEvent[]): void => {
    for (const listener of listeners) listener.onEvents(events);
  };
  return { feed, say, listeners };
}

async function namesAfter(feed: EventFeed, from: EventPosition): Promise<readonly string[]> {
  const { hasMissed, events } = await feed.page(from, ALL);
  const names = events.map(({ event }) => (event.type === "signal-buffered" ? event.name : event.type));
  return hasMissed ? ["missed", ...names] : names;
}

describe("the events of a node", () => {
  test("EF1: have the same positions on every node, and are read on after any of them on any node", async () => {
    const w = world();
    const body = workflow("busy", { version: 1 }, async (ctx) => {
      await Promise.all([ctx.step("a", () => 1), ctx.variable("v", 2), ctx.waitFor("go")]);
    });
    const feeds = [1, 2, 3].map((nodeId) => new EventFeed(w.cluster.node(nodeId).engine, platformClock));
    await w.startAll([body]);
    const run = await w.runtime(2).startWorkflow(body, undefined, { id: "r" });
    await run.signal("go");
    await run.result();
    for (const node of w.cluster.nodes.values()) await w.cluster.caughtUp(node);
    const pages = await Promise.all(feeds.map(async (feed) => feed.page(await feed.position("oldest"), ALL)));
    const [first] = pages;
    expect(first?.events.length).toBeGreaterThan(8);
    for (const { events } of pages) expect(events).toEqual(first?.events);
    for (const [at, { position }] of (first?.events ?? []).entries())
      for (const feed of feeds) expect((await feed.page(position, ALL)).events).toEqual(first?.events.slice(at + 1));
    for (const feed of feeds) feed.close();
  });

  test("EF2: are kept in a bounded number, and a reader of older ones is told so", async () => {
    const { feed, say } = feedOf(0, { events: 3 });
    const begin = await feed.position("oldest");
    say(signal(1, "a"), signal(1, "b"), signal(2, "c"));
    expect(await namesAfter(feed, begin)).toEqual(["a", "b", "c"]);
    say(signal(3, "d"));
    expect(await namesAfter(feed, begin)).toEqual(["missed", "b", "c", "d"]);
    // The reader had the one that is gone.
    expect(await namesAfter(feed, { index: 1, part: 0 })).toEqual(["b", "c", "d"]);
    for (let index = 4; index < 100; index++) say(signal(index, `${index}`));
    expect(await namesAfter(feed, { index: 1, part: 1 })).toEqual(["missed", "97", "98", "99"]);
    expect(await namesAfter(feed, { index: 97, part: 0 })).toEqual(["98", "99"]);
  });

  test("EF2: are kept within a number of bytes, without what their payloads were cut from", async () => {
    const { feed, say } = feedOf(0, { bytes: 100 });
    const begin = await feed.position("oldest");
    const frame = new Uint8Array(1_000_000);
    for (let index = 1; index <= 10; index++) say(signal(index, `${index}`, frame.subarray(index, index + 30)));
    const { events } = await feed.page(begin, ALL);
    expect(events.map(({ position }) => position.index)).toEqual([8, 9, 10]);
    for (const { event } of events)
      expect(event.type === "signal-buffered" && event.payload.buffer.byteLength).toBe(30);
    say(signal(11, "large", new Uint8Array(101)));
    expect(await namesAfter(feed, begin)).toEqual(["missed"]);
  });

  test("EF2: that came while the node was not running, or with a snapshot, are missed", async () => {
    const { feed, say } = feedOf(10);
    expect(await namesAfter(feed, { index: 9, part: 0 })).toEqual(["missed"]);
    expect(await namesAfter(feed, { index: 10, part: 5 })).toEqual(["missed"]);
    expect(await namesAfter(feed, await feed.position("newest"))).toEqual([]);
    say(signal(11, "a"));
    say({ type: "state-restored", index: 50 });
    expect(await namesAfter(feed, { index: 11, part: 0 })).toEqual(["missed"]);
    say(signal(51, "b"));
    expect(await namesAfter(feed, { index: 11, part: 0 })).toEqual(["missed", "b"]);
    expect(await namesAfter(feed, await feed.position("oldest"))).toEqual(["b"]);
  });

  test("EF2: that are heard before the feed knows what was applied are not lost", async () => {
    const { feed, say } = feedOf(5);
    say(signal(4, "a"), signal(5, "b"));
    expect(await namesAfter(feed, { index: 3, part: 0 })).toEqual(["missed", "a", "b"]);
    expect(await namesAfter(feed, { index: 4, part: 0 })).toEqual(["b"]);
    expect(await namesAfter(feed, await feed.position("oldest"))).toEqual(["a", "b"]);
  });

  test("of a later node are waited for by a reader that comes from one that is ahead", async () => {
    const { feed, say } = feedOf();
    const ahead = { index: 5, part: 0 };
    const more = feed.until(ahead, SOON);
    say(signal(4, "a"), signal(5, "b"));
    say(signal(6, "c"));
    expect(await more).toBe(true);
    expect(await namesAfter(feed, ahead)).toEqual(["c"]);
  });

  test("that a filter leaves out are passed in pages of bounded work", async () => {
    const { feed, say } = feedOf();
    const begin = await feed.position("oldest");
    for (let index = 1; index <= 10_000; index++) say(signal(index, index === 9_000 ? "wanted" : "other"));
    const wanted = (event: FeedEvent): boolean => event.type === "signal-buffered" && event.name === "wanted";
    let pages = 0;
    const found: number[] = [];
    for (let next = begin, hasMore = true; hasMore; pages++) {
      const page = await feed.page(next, wanted);
      found.push(...page.events.map(({ position }) => position.index));
      ({ next, hasMore } = page);
    }
    expect([pages, found]).toEqual([3, [9_000]]);
  });

  test("wake every reader, and readers end with their limit, their signal and the feed", async () => {
    const { feed, say, listeners } = feedOf();
    const begin = await feed.position("newest");
    expect(await feed.until(begin, { timeoutMs: 1 })).toBe(false);
    const stop = new AbortController();
    const aborted = feed.until(begin, { timeoutMs: 60_000, signal: stop.signal });
    stop.abort();
    expect(await aborted).toBe(false);
    const readers = Array.from({ length: 1_000 }, () => feed.until(begin, SOON));
    await expect.poll(() => feed.waiting).toBe(1_000);
    say(signal(1, "a"));
    expect((await Promise.all(readers)).every((more) => more)).toBe(true);
    expect(feed.waiting).toBe(0);
    const ended = feed.until({ index: 1, part: 0 }, SOON);
    await expect.poll(() => feed.waiting).toBe(1);
    feed.close();
    await expect(ended).rejects.toMatchObject({ code: "NODE_STOPPED", retryable: true });
    await expect(feed.page(begin, ALL)).rejects.toMatchObject({ code: "NODE_STOPPED" });
    expect(listeners.size).toBe(0);
  });
});
