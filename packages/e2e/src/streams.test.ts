// @module-tag slow

/** Streams on real processes: readers that follow a run while its owner is killed get every chunk once, in one order. */
import { RaftoralClient, type StreamChunk } from "raftoral";
import { expect, test } from "vitest";
import { useCluster } from "./cluster/use-cluster.ts";
import { type Said, said, type talk, WORDS } from "./programs/talk.ts";

const WAIT_MS = 30_000;
const TEST_MS = 90_000;
const ROUNDS = 60;
/** The owner is killed once its client has read so many chunks. */
const CHUNKS_BEFORE_KILL = 90;

const cluster = useCluster(3);

test(
  "readers on other nodes and a client of the owner follow a stream over the death of its owner",
  async () => {
    const { workflows: first } = await cluster().client(1);
    await first.start<typeof talk>("talk", ROUNDS, { runId: "talk-1" });
    const { owner } = await first.describe("talk-1");
    const others = [1, 2, 3].filter((nodeId) => nodeId !== owner);
    // The owner comes first: the client's read breaks with it.
    const addresses = [owner, ...others].map((nodeId) => cluster().address(nodeId));
    await using client = await RaftoralClient.connect(addresses, { tls: false });
    const clients = await Promise.all(others.map((nodeId) => cluster().client(nodeId)));
    const remote = clients.map(({ workflows }) =>
      Array.fromAsync(workflows.stream("talk-1", said, { timeoutMs: WAIT_MS })),
    );
    const read: StreamChunk<Said>[] = [];
    for await (const chunk of client.workflows.stream("talk-1", said, { timeoutMs: WAIT_MS })) {
      read.push(chunk);
      if (read.length === CHUNKS_BEFORE_KILL) await cluster().kill(owner);
    }
    const { takeovers, owner: later } = await client.workflows.describe("talk-1");
    expect(takeovers).toBeGreaterThan(0);
    expect(later).not.toBe(owner);
    for (const reading of remote) expect(await reading).toEqual(read);

    expect(read.map(({ offset }) => offset)).toEqual(read.map((_, at) => at));
    const ofBody = read.filter(({ step }) => step === undefined);
    expect(ofBody.map(({ value }) => value)).toEqual(Array.from({ length: ROUNDS }, (_, round) => ({ round })));
    // The attempt that was recorded said all of its words; an earlier one may have said some of them.
    for (const [step, chunks] of Map.groupBy(read, (chunk) => chunk.step)) {
      if (step === undefined) continue;
      const last = chunks.at(-1);
      const ofLast = chunks.filter(({ epoch, attempt }) => epoch === last?.epoch && attempt === last?.attempt);
      expect(ofLast.map(({ value }) => value.word)).toEqual(Array.from({ length: WORDS }, (_, word) => word));
    }
    // A reader that comes later, or comes back, reads the same.
    const again = await Array.fromAsync(client.workflows.stream("talk-1", said, { from: 17 }));
    expect(again).toEqual(read.slice(17));
  },
  TEST_MS,
);
