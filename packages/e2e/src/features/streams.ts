import type { StreamChunk } from "raftoral";
import { expect } from "vitest";
import { LAST_WORDS, type Said, SILENT_ROUND, said, type talk, WORDS } from "../programs/talk.ts";
import { feature, WAIT_MS } from "./feature.ts";

const ROUNDS = 40;
/** Reading goes on over the kill, and until all other features are in their middle. */
const READ_MS = 2 * WAIT_MS;
/** Chunks of the rounds before the silent one, and of that one up to the kill. */
const SAID_FIRST = SILENT_ROUND * (1 + WORDS) + 1 + LAST_WORDS;

export const streams = feature({
  title: "readers on other nodes, and a client whose node is killed, get every chunk of a stream once, in one order",
  begin: async ({ workflows, others, connect }) => {
    await workflows.start<typeof talk>("talk", ROUNDS, { runId: "talk" });
    const remote = Promise.allSettled(
      others.map((other) => Array.fromAsync(other.stream("talk", said, { timeoutMs: READ_MS }))),
    );
    const [silent, read] = [Promise.withResolvers<void>(), [] as StreamChunk<Said>[]];
    const following = (async () => {
      // The client asks the node that will be killed: its read breaks with that node.
      await using client = await connect();
      for await (const chunk of client.workflows.stream("talk", said, { timeoutMs: READ_MS })) {
        read.push(chunk);
        if (read.length === SAID_FIRST) silent.resolve();
      }
    })();
    await Promise.race([silent.promise, following]);
    return { remote, read, followed: Promise.allSettled([following]) };
  },
  end: async ({ workflows }, { remote, read, followed }) => {
    expect(await followed).toEqual([{ status: "fulfilled" }]);
    const readings = (await remote).map((reading) => (reading.status === "fulfilled" ? reading.value : reading.reason));
    expect(readings).toEqual([read, read]);
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
    expect(await Array.fromAsync(workflows.stream("talk", said, { from: 17 }))).toEqual(read.slice(17));
  },
});
