import { describe, expect, test } from "vitest";
import { InvariantViolation } from "../errors.ts";
import type { MemoryStorageContents } from "../memory/memory-storage.ts";
import { message } from "../message.ts";
import { commands, entriesOfTerms, LockstepNetwork } from "../testing/internal/groups/lockstep-network.ts";
import { votersOnly } from "../testing/internal/groups/slow-disk-node.ts";
import type { Snapshot } from "../types.ts";

const VOTERS = [1, 2, 3];
const snapshotOf = (index: number, term: number): Snapshot => ({
  metadata: { index, term, confState: votersOnly(VOTERS) },
  data: new Uint8Array(0),
});

function started(contents: MemoryStorageContents): LockstepNetwork {
  return new LockstepNetwork({ voters: VOTERS, contents: new Map(VOTERS.map((id) => [id, contents])) });
}

describe("a group that begins with a snapshot and no hard state", () => {
  test.each([1, 2, 5])("at term %i: its first leader is of that term, and is followed", (term) => {
    const network = started({ snapshot: snapshotOf(5, term) });
    network.elect(1);
    expect(network.raw(1).basicStatus()).toMatchObject({ softState: { role: "StateLeader" }, hardState: { term } });
    expect(network.propose(2, "on")).toBe(true);
    for (const { applied } of network.nodes.values()) expect(commands(applied)).toEqual(["on"]);
  });

  test("takes in a member that begins with nothing", () => {
    const network = new LockstepNetwork({
      voters: VOTERS,
      contents: new Map([1, 2].map((id) => [id, { snapshot: snapshotOf(5, 5) }])),
    });
    network.elect(1);
    for (const id of [1, 2]) network.node(id).storage.take = () => snapshotOf(5, 5);
    network.tick(1, 1);
    network.stabilize();
    expect(network.propose(1, "on")).toBe(true);
    expect(commands(network.node(3).applied)).toEqual(["on"]);
  });
});

describe("a hard state behind its log, as a crash may leave it where batches are not atomic", () => {
  const contents = { entries: entriesOfTerms(1, 2, 5), hardState: { term: 4, vote: 2, commit: 1 } };

  test("is raised to the log's last term, in which this node has given no vote", () => {
    const network = started(contents);
    const raw = network.raw(1);
    expect(raw.basicStatus().hardState).toEqual({ term: 5, vote: 0, commit: 1 });
    expect(raw.ready()).toMatchObject({ hardState: { term: 5, vote: 0, commit: 1 }, mustSync: true });
  });

  test("does not let the node stand in a term that is in its log already", () => {
    const network = started(contents);
    network.elect(1);
    expect(network.raw(1).basicStatus()).toMatchObject({ softState: { role: "StateLeader" }, hardState: { term: 6 } });
  });

  test("lets the node vote in the log's last term, once", () => {
    const raw = started(contents).raw(1);
    const request = { type: "MsgVote", from: 2, to: 1, term: 5, index: 3, logTerm: 5 } as const;
    raw.step(message(request));
    expect(raw.basicStatus().hardState).toMatchObject({ term: 5, vote: 2 });
    raw.step(message({ ...request, from: 3 }));
    expect(raw.basicStatus().hardState).toMatchObject({ term: 5, vote: 2 });
  });
});

describe("a stored term that no group reaches", () => {
  test.each([
    ["in the hard state", { hardState: { term: 2 ** 53 - 2, vote: 0, commit: 0 } }],
    ["in the log", { entries: entriesOfTerms(2 ** 53 - 1) }],
  ])("%s, stops the node instead of leaving it alone for ever", (_, contents) => {
    expect(() => started(contents)).toThrow(InvariantViolation);
  });
});
