import { describe, expect, test } from "vitest";
import { RaftError } from "../../errors.ts";
import { decodeEntryContext, type ProposalId } from "../apply/entry-context.ts";
import { Sessions } from "../apply/sessions.ts";
import { Proposals } from "./proposals.ts";

const RETRY = 20;
const NONCE = 99;
const bytes = (size = 1) => new Uint8Array(size).fill(1);

function start(maxPending = 100) {
  return new Proposals<string>(1, NONCE, maxPending);
}

/** All proposals due at `tick`, marked as taken: "register", or the ids of the proposals, batch by batch. */
function flush(proposals: Proposals<string>, tick: number, maxBytes = 1_000): ("register" | ProposalId)[][] {
  const batches = [...proposals.batches(maxBytes, tick, RETRY)];
  for (const batch of batches) proposals.sent(batch.length, tick);
  return batches.map((batch) =>
    batch.map(({ context }) => {
      const decoded = decodeEntryContext(context);
      return decoded.kind === "register" ? "register" : decoded.id;
    }),
  );
}

function serials(proposals: Proposals<string>, tick: number): number[] {
  return flush(proposals, tick).flatMap((batch) => batch.map((id) => (id === "register" ? 0 : id.serial)));
}

/** With a session, opened by the entry at index 5. */
function opened(maxPending?: number) {
  const proposals = start(maxPending);
  proposals.registered(1, NONCE, 5);
  return proposals;
}

describe("before a session is open", () => {
  test("only its registration goes out, again after a silence, and proposals follow once it is applied", () => {
    const proposals = start();
    void proposals.add("EntryNormal", bytes(), 0, 1_000);
    expect(flush(proposals, 1)).toEqual([["register"]]);
    expect(flush(proposals, 2)).toEqual([]);
    expect(flush(proposals, 1 + RETRY)).toEqual([["register"]]);
    proposals.registered(2, NONCE, 4);
    proposals.registered(1, NONCE + 1, 4);
    expect(flush(proposals, 2 + RETRY), "registrations of others change nothing").toEqual([]);
    proposals.registered(1, NONCE, 5);
    proposals.registered(1, NONCE, 6);
    expect(flush(proposals, 3 + RETRY)).toEqual([[{ session: 5, serial: 1, floor: 1 }]]);
  });

  test("a change of leader sends the registration again at once", () => {
    const proposals = start();
    void proposals.add("EntryNormal", bytes(), 0, 1_000);
    flush(proposals, 1);
    proposals.resendAll();
    expect(flush(proposals, 2)).toEqual([["register"]]);
  });
});

describe("with a session", () => {
  test("P1: serials rise by one, and batches are cut by bytes but never empty", () => {
    const proposals = opened();
    for (const size of [600, 300, 200, 5_000]) void proposals.add("EntryNormal", bytes(size), 0, 1_000);
    const batches = flush(proposals, 1);
    expect(batches.map((batch) => batch.map((id) => (id === "register" ? 0 : id.serial)))).toEqual([[1, 2], [3], [4]]);
    expect(proposals.hasUnsent).toBe(false);
  });

  test("P2: the floor follows the lowest serial that waits", async () => {
    const proposals = opened();
    const all = [1, 2, 3].map(() => proposals.add("EntryNormal", bytes(), 0, 1_000));
    flush(proposals, 1);
    proposals.settle(5, 2, "second");
    void proposals.add("EntryNormal", bytes(), 0, 1_000);
    expect(flush(proposals, 2)).toEqual([[{ session: 5, serial: 4, floor: 1 }]]);
    proposals.settle(5, 1, "first");
    void proposals.add("EntryNormal", bytes(), 0, 1_000);
    expect(flush(proposals, 3)).toEqual([[{ session: 5, serial: 5, floor: 3 }]]);
    proposals.settle(5, 3, "third");
    expect(await Promise.all(all)).toEqual(["first", "second", "third"]);
  });

  test("P3: results of other sessions and repeated ones settle nothing", async () => {
    const proposals = opened();
    const one = proposals.add("EntryNormal", bytes(), 0, 1_000);
    flush(proposals, 1);
    proposals.settle(4, 1, "of a stranger");
    proposals.settle(5, 1, "right");
    proposals.settle(5, 1, "again");
    proposals.refuse(5, 1, new RaftError("CONF_CHANGE_REFUSED", "late"));
    expect(await one).toBe("right");
    expect(proposals.size).toBe(0);
  });

  test("what Raft did not take stays unsent, in order", () => {
    const proposals = opened();
    for (let at = 0; at < 3; at++) void proposals.add("EntryNormal", bytes(600), 0, 1_000);
    const [first] = [...proposals.batches(1_000, 1, RETRY)];
    proposals.sent(first?.length ?? 0, 1);
    expect(serials(proposals, 2)).toEqual([2, 3]);
  });

  test("a change of leader sends everything again that waits, under its own serial", () => {
    const proposals = opened();
    for (let at = 0; at < 3; at++) void proposals.add("EntryNormal", bytes(), 0, 1_000);
    flush(proposals, 1);
    proposals.settle(5, 2, "done");
    proposals.resendAll();
    expect(serials(proposals, 2)).toEqual([1, 3]);
  });

  test("what is settled between a change of leader and the sending is not sent", () => {
    const proposals = opened();
    for (let at = 0; at < 2; at++) void proposals.add("EntryNormal", bytes(), 0, 1_000);
    flush(proposals, 1);
    proposals.resendAll();
    proposals.settle(5, 1, "the old leader had committed it");
    expect(proposals.hasUnsent).toBe(true);
    expect(serials(proposals, 2)).toEqual([2]);
    proposals.resendAll();
    proposals.settle(5, 2, "too");
    expect(proposals.hasUnsent).toBe(false);
    expect(flush(proposals, 3)).toEqual([]);
  });

  test("after a silence a follower sends again, a leader only configuration changes, which it may have turned down", () => {
    const proposals = opened();
    void proposals.add("EntryNormal", bytes(), 0, 1_000);
    void proposals.add("EntryConfChangeV2", bytes(), 0, 1_000);
    flush(proposals, 1);
    proposals.resendOlderThan(RETRY, RETRY, true);
    expect(serials(proposals, RETRY)).toEqual([]);
    proposals.resendOlderThan(RETRY, RETRY + 1, false);
    expect(serials(proposals, RETRY + 1)).toEqual([2]);
    proposals.resendOlderThan(RETRY, RETRY + 1, true);
    expect(serials(proposals, RETRY + 1)).toEqual([1]);
  });

  test("a session that the group forgot is replaced, and what waited goes out under new serials", async () => {
    const proposals = opened();
    const all = [1, 2, 3].map(() => proposals.add("EntryNormal", bytes(), 0, 1_000));
    flush(proposals, 1);
    proposals.settle(5, 1, "before");
    proposals.expired(4);
    expect(flush(proposals, 2), "of another session").toEqual([]);
    proposals.expired(5);
    expect(flush(proposals, 2)).toEqual([["register"]]);
    proposals.registered(1, NONCE, 30);
    expect(serials(proposals, 3)).toEqual([1, 2]);
    proposals.settle(5, 2, "of the old session");
    proposals.settle(30, 1, "second");
    proposals.settle(30, 2, "third");
    expect(await Promise.all(all)).toEqual(["before", "second", "third"]);
  });

  test("a snapshot decides what it covers, without a result; what it has not seen waits on", async () => {
    const proposals = opened();
    const [covered, open] = [1, 2].map(() => proposals.add("EntryNormal", bytes(), 0, 1_000));
    flush(proposals, 1);
    const sessions = new Sessions();
    sessions.register(5);
    sessions.admit(5, 1, 1, 6);
    proposals.restored(sessions);
    await expect(covered).rejects.toMatchObject({ code: "PROPOSAL_OUTCOME_UNKNOWN", retryable: false });
    proposals.settle(5, 2, "later");
    expect(await open).toBe("later");
  });

  test("a snapshot without the session leaves every outcome unknown, and another session is opened", async () => {
    const proposals = opened();
    const one = proposals.add("EntryNormal", bytes(), 0, 1_000);
    flush(proposals, 1);
    proposals.restored(new Sessions());
    await expect(one).rejects.toMatchObject({ code: "PROPOSAL_OUTCOME_UNKNOWN" });
    void proposals.add("EntryNormal", bytes(), 0, 1_000);
    expect(flush(proposals, 2)).toEqual([["register"]]);
  });
});

describe("a proposal's deadline", () => {
  test("without a leader and never sent: NO_LEADER, nothing was proposed", async () => {
    const proposals = opened();
    const one = proposals.add("EntryNormal", bytes(), 0, 100);
    proposals.expire(99, false);
    expect(proposals.size).toBe(1);
    proposals.expire(100, false);
    await expect(one).rejects.toMatchObject({ code: "NO_LEADER", retryable: true });
    expect(flush(proposals, 1)).toEqual([]);
  });

  test("with a leader that takes nothing: the proposal was not made, and the error says so", async () => {
    const proposals = opened();
    const one = proposals.add("EntryNormal", bytes(), 0, 100);
    proposals.expire(100, true);
    await expect(one).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", details: { mayBeCommitted: false } });
  });

  test("once sent: it may be committed, also without a leader", async () => {
    const proposals = opened();
    const one = proposals.add("EntryNormal", bytes(), 0, 0);
    flush(proposals, 1);
    proposals.expire(0, false);
    await expect(one).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED", details: { mayBeCommitted: true } });
  });

  test("raises the floor, so that a late copy is passed over", async () => {
    const proposals = opened();
    const one = proposals.add("EntryNormal", bytes(), 0, 10);
    flush(proposals, 1);
    proposals.expire(10, true);
    await expect(one).rejects.toThrow();
    void proposals.add("EntryNormal", bytes(), 10, 10);
    expect(flush(proposals, 2)).toEqual([[{ session: 5, serial: 2, floor: 2 }]]);
  });
});

test("as many wait as may; one more is refused at once and takes no serial", async () => {
  const proposals = opened(2);
  void proposals.add("EntryNormal", bytes(), 0, 1_000);
  void proposals.add("EntryNormal", bytes(), 0, 1_000);
  await expect(proposals.add("EntryNormal", bytes(), 0, 1_000)).rejects.toMatchObject({
    code: "OVERLOADED",
    retryable: true,
  });
  flush(proposals, 1);
  proposals.settle(5, 1, "done");
  void proposals.add("EntryNormal", bytes(), 0, 1_000);
  expect(serials(proposals, 2)).toEqual([3]);
});

test("P3: the end fails who waits and who comes later", async () => {
  const proposals = opened();
  const before = proposals.add("EntryNormal", bytes(), 0, 1_000);
  proposals.close(new RaftError("NODE_STOPPED", "stopped"));
  await expect(before).rejects.toMatchObject({ code: "NODE_STOPPED" });
  await expect(proposals.add("EntryNormal", bytes(), 0, 1_000)).rejects.toMatchObject({ code: "NODE_STOPPED" });
  expect(proposals.size).toBe(0);
});
