/**
 * A run that writes to a stream, from its body and from steps, and a reader that stops now and then and goes on at its next offset, on another node. It must get each chunk once, in
 * order, without a gap, and the body's chunks as the body wrote them (P21 of finding.ts).
 */
import { stream, workflow } from "@raftoral/workflow";
import type { StreamChunk } from "raftoral";
import type { TestCluster } from "raftoral/testing";
import type { ProgramFinding } from "../../workflows/finding.ts";
import type { Below } from "../../workflows/program/draw-program.ts";
import { type Act, numberOf, type ScenarioKind, type Stage } from "../scenario.ts";

const RUN_ID = "teller";

interface Said {
  /** `body`, or the number of the act whose step wrote it. */
  readonly by: string;
  readonly n: number;
}

const said = stream<Said>("said");

const teller = workflow("teller", { version: 1 }, async (ctx, acts: readonly Act[]) => {
  const out = ctx.stream(said);
  let written = 0;
  for (const [at, act] of acts.entries()) {
    if (act.do === "say") {
      for (let chunk = 0; chunk < numberOf(act, "chunks"); chunk++) await out.write({ by: "body", n: written++ });
    } else if (act.do === "sleep") await ctx.sleep(numberOf(act, "ms"));
    else if (act.do === "step") {
      await ctx.step("say", async () => {
        for (let n = 0; n < numberOf(act, "chunks"); n++) await out.write({ by: String(at), n });
      });
    }
  }
  return written;
});

function draw(below: Below): readonly Act[] {
  const acts = Array.from({ length: 6 + below(7) }, (): Act => {
    switch (below(5)) {
      case 0:
        return { do: "sleep", ms: below(2_000) };
      case 1:
        return { do: "step", chunks: 1 + below(4) };
      default:
        return { do: "say", chunks: 1 + below(8) };
    }
  });
  // What is disturbed is at entries with records, and chunks are none.
  const about: Act = { do: "step", chunks: 2 };
  return [
    about,
    ...acts,
    { do: "sleep", ms: 500 },
    about,
    ...Array.from({ length: 4 }, (): Act => ({ do: "read", chunks: 1 + below(12) })),
  ];
}

/** Reads in pieces: as many chunks as each read says, and then all that follow. */
async function readAll(cluster: TestCluster, reads: readonly Act[]): Promise<readonly StreamChunk<Said>[]> {
  const chunks: StreamChunk<Said>[] = [];
  const limits = [...reads.map((act) => numberOf(act, "chunks")), Number.POSITIVE_INFINITY];
  for (const limit of limits) {
    let left = limit;
    for await (const chunk of cluster.workflows.stream(RUN_ID, said, { from: chunks.length })) {
      chunks.push(chunk);
      left -= 1;
      if (left === 0) break;
    }
  }
  return chunks;
}

function problemOf(acts: readonly Act[], chunks: readonly StreamChunk<Said>[]): string | undefined {
  const shown = (): string => chunks.map(({ offset, value }) => `${offset}:${value.by}/${value.n}`).join(" ");
  const gap = chunks.findIndex(({ offset }, at) => offset !== at);
  if (gap !== -1) return `offset ${gap} is not there once: ${shown()}`;
  const own = chunks.filter(({ value }) => value.by === "body").map(({ value }) => value.n);
  const due = acts.filter((act) => act.do === "say").reduce((sum, act) => sum + numberOf(act, "chunks"), 0);
  if (own.length !== due || own.some((n, at) => n !== at)) return `the body wrote ${due} chunks: ${shown()}`;
  for (const [at, act] of acts.entries()) {
    if (act.do !== "step") continue;
    // Each attempt writes from the start, and the last one, of the highest epoch, writes all.
    const attempts = Map.groupBy(
      chunks.filter(({ value }) => value.by === String(at)),
      ({ epoch, attempt }) => `${epoch}/${attempt ?? 0}`,
    );
    for (const [attempt, written] of attempts)
      if (written.some(({ value }, place) => value.n !== place))
        return `attempt ${attempt} of step ${at} is out of order: ${shown()}`;
    if (([...attempts.values()].at(-1)?.length ?? 0) !== numberOf(act, "chunks"))
      return `step ${at} has not written all: ${shown()}`;
  }
  return undefined;
}

function stage(acts: readonly Act[]): Stage {
  const play = async (cluster: TestCluster): Promise<readonly ProgramFinding[]> => {
    const reads = acts.filter((act) => act.do === "read");
    const told = acts.filter((act) => act.do !== "read");
    const run = await cluster.workflows.start(teller, told, { runId: RUN_ID });
    const chunks = await readAll(cluster, reads);
    await run.result();
    const problems = [problemOf(told, chunks)];
    const again = await Array.fromAsync(run.stream(said));
    if (JSON.stringify(again) !== JSON.stringify(chunks))
      problems.push("a second reader gets other chunks than the first one");
    await cluster.assertChunks(RUN_ID, "said");
    return problems.filter((one) => one !== undefined).map((message) => ({ invariant: "chunks-in-order", message }));
  };
  return { workflows: [teller], play };
}

export const STREAMS: ScenarioKind = { name: "streams", focus: RUN_ID, spares: ["cancel"], draw, stage };
