/** One run of a program on a cluster of its own, with one plan of disturbances. */
import { AsyncResource } from "node:async_hooks";
import { inspect } from "node:util";
import type { Logger } from "@raftoral/raft-core";
import { type WorkflowDefinition, workflow } from "@raftoral/workflow";
import { encryption } from "raftoral/codecs";
import { disturb, type HistoryExport, TestCluster } from "raftoral/testing";
import { BODY_STREAM, STEP_STREAM } from "./body/body-site.ts";
import { leaf } from "./body/leaf.ts";
import { COURSE, programWorkflow } from "./body/program-workflow.ts";
import type { ProgramFinding, ProgramInvariant } from "./finding.ts";
import { earlierOf, judgeChunks, judgeEnd } from "./judge.ts";
import { askForNotes, type Heard, judgeNotes } from "./notes.ts";
import type { Plan } from "./plans.ts";
import type { Program } from "./program/program.ts";
import { type ObservedBody, RunObserver } from "./run-observer.ts";

/** What is tried. */
export interface TrialOptions {
  readonly program: Program;
  readonly plan: Plan;
  /** Invariants that are not held. */
  readonly ignore?: readonly string[];
  /** The run of the same program that nothing disturbed. */
  readonly undisturbed?: Trial;
}

/** What came of it. */
export interface Trial {
  readonly finding: ProgramFinding | undefined;
  readonly history: HistoryExport | undefined;
  readonly story: readonly string[];
  /** Context calls of the latest body, and entries with records of the run. */
  readonly calls: number;
  readonly commits: number;
  /** Disturbances whose moment came. */
  readonly come: number;
  readonly bodies: number;
  readonly stepCalls: number;
  readonly virtualMs: number;
}

const RUN_ID = "program";
/** Not the one that is asked first. */
export const OTHER_NODE = 2;
/** How long a step that waits for nothing real may hold virtual time, in real milliseconds. */
export const REAL_WAIT_MS = 5;
/** How long all processes are down for a deploy, in virtual milliseconds. */
const DEPLOY_MS = 1_000;
export const SNAPSHOTS = Object.freeze({ snapshotEveryEntries: 4, keepEntries: 1 });

export const CODEC = encryption({ keys: { key: new Uint8Array(32).fill(7) }, activeKeyId: "key" });

/** Keeps the slot that it gets. */
const hog = workflow("hog", { version: 1 }, async (ctx) => {
  await ctx.step("hold", () => new Promise<never>(() => {}));
});

/** Runs a program once. Never rejects: what goes wrong is a finding. */
export async function tryProgram({ program, plan, ignore = [], undisturbed }: TrialOptions): Promise<Trial> {
  const stray: unknown[] = [];
  const onStray = (reason: unknown): unknown => stray.push(reason);
  process.on("unhandledRejection", onStray);
  let cluster: TestCluster | undefined;
  const observer = new RunObserver((body) => cluster?.hasLost(body) ?? false);
  const findings: ProgramFinding[] = [];
  let [history, come, startedAtMs]: [HistoryExport | undefined, number, number] = [undefined, 0, 0];
  try {
    const now = [programWorkflow(observer), leaf, hog];
    cluster = await TestCluster.start({
      workflows: plan.deploysAt === undefined ? now : [programWorkflow(observer, { isOld: true }), leaf, hog],
      realWaitMs: REAL_WAIT_MS,
      logger: loggerFor(findings),
      nodeOptions: {
        ...(plan.isCoded === true ? { payloadCodec: CODEC } : {}),
        ...(plan.snapshots ? { limits: SNAPSHOTS } : {}),
        ...(plan.isCrowded ? { workflowLimits: { maxRunningBodies: 1 } } : {}),
      },
    });
    if (plan.isRemote === true) await cluster.transferLeadership(OTHER_NODE);
    startedAtMs = cluster.time.nowMs;
    answerTokens(cluster, observer);
    const disturbing = disturb(cluster, RUN_ID, plan.plan);
    const deployed = plan.deploysAt === undefined ? undefined : deploy(cluster, plan.deploysAt, now);
    let heard: Heard;
    [history, heard] = await runIt(cluster, program, plan);
    await disturbing.finish();
    await deployed?.();
    come = disturbing.come;
    await cluster.assertRecordedOnce(RUN_ID);
    await cluster.assertChunks(RUN_ID, STEP_STREAM);
    const body = observer.latest(earlierOf(history).length + 1);
    const chunks = await cluster.assertChunks(RUN_ID, BODY_STREAM);
    findings.push(...judgeChunks(chunks, body?.written ?? new Map()));
    const ended = {
      program,
      history,
      body,
      wasCancelled: program.cancelling !== undefined || plan.isCrowded || disturbing.hasCancelled,
      mayReorderSignals: plan.plan.includes("delay@"),
    };
    // Code that comes in the middle of a run may lead to another end.
    findings.push(...(await judgeEnd(ended, deployed === undefined ? undisturbed?.history : undefined)));
    // A query runs the code that the nodes have by now.
    const mayAsk = history.outcome.status === "completed" && body?.isOld === false;
    if (mayAsk) findings.push(...(await judgeCourse(cluster, body)));
    findings.push(
      ...(await judgeNotes(cluster, RUN_ID, heard, {
        mayAsk,
        outcome: history.outcome.status,
        wasCancelled: ended.wasCancelled,
        generation: earlierOf(history).length + 1,
      })),
    );
  } catch (error) {
    findings.push(findingOf(error));
  }
  findings.unshift(...observer.findings);
  await cluster?.stop();
  process.off("unhandledRejection", onStray);
  if (stray.length > 0)
    findings.push({ invariant: "unhandled", message: `rejected, and not handled: ${String(stray[0])}` });
  return {
    finding: findings.find(({ invariant }) => !ignore.includes(invariant)),
    history,
    come,
    story: cluster?.story ?? [],
    ...(cluster?.counts(RUN_ID) ?? { calls: 0, commits: 0 }),
    bodies: cluster?.bodies(RUN_ID) ?? 0,
    stepCalls: observer.stepCalls,
    virtualMs: (cluster?.time.nowMs ?? startedAtMs) - startedAtMs,
  };
}

/** Ends all processes after an entry of the run, and starts others with `workflows`. Gives the way to wait until they have. */
function deploy(cluster: TestCluster, commit: number, workflows: readonly WorkflowDefinition[]): () => Promise<void> {
  let starting: Promise<unknown> | undefined;
  const startAll = async (): Promise<void> => {
    await cluster.after(DEPLOY_MS);
    await Promise.all(cluster.nodes.map(({ nodeId }) => cluster.startNode(nodeId, workflows)));
  };
  cluster.at({ runId: RUN_ID, commit, when: "after" }, () => {
    for (const { nodeId } of cluster.nodes) cluster.kill(nodeId);
    starting = startAll();
  });
  return async () => {
    if (starting !== undefined) await cluster.time.drive(starting);
  };
}

/** Answers every token that the run hands out, outside of its body. */
function answerTokens(cluster: TestCluster, observer: RunObserver): void {
  const answer = async (token: string, afterMs: number): Promise<void> => {
    if (afterMs > 0) await cluster.after(afterMs);
    // The token may have expired by then, and the run ended.
    await cluster.workflows.answer(token, "answered").catch(() => {});
  };
  observer.onToken = AsyncResource.bind((token: string, afterMs: number) => void answer(token, afterMs));
}

/** P16. The body is run again from its record, on the node that is asked. */
async function judgeCourse(cluster: TestCluster, { course }: ObservedBody): Promise<readonly ProgramFinding[]> {
  const answered = await cluster.workflows.query(RUN_ID, COURSE);
  if (answered === course) return [];
  return [{ invariant: "queried-same", message: `a query shows the course ${answered}, and its body had ${course}` }];
}

/** P13 and P14. */
export function loggerFor(findings: ProgramFinding[]): Logger {
  const nothing = (): void => {};
  return {
    debug: nothing,
    info: nothing,
    warn: (_fields, message) => {
      if (message.startsWith("A cancelled body does not end")) findings.push({ invariant: "ends-when-told", message });
    },
    error: (fields, message) => {
      findings.push({ invariant: "engine-error", message: `${message} ${inspect(fields, { depth: 1 })}` });
    },
  };
}

/** Starts the run, does to it what the program says, and waits for its end. */
async function runIt(
  cluster: TestCluster,
  program: Program,
  { isCrowded }: Plan,
): Promise<readonly [HistoryExport, Heard]> {
  const { cancelling, sendings, notings = [] } = program;
  if (cancelling !== undefined) {
    const { commit, when } = cancelling;
    cluster.at({ runId: RUN_ID, commit, when }, () => {
      // The run may have ended by then.
      cluster.workflows.cancel(RUN_ID, { reason: "asked for" }).catch(() => {});
    });
  }
  const run = await cluster.workflows.start("program", program, { runId: RUN_ID });
  let isOver = false;
  const send = async (): Promise<void> => {
    for (const { signal, payload, afterMs } of sendings) {
      if (afterMs > 0) await cluster.after(afterMs);
      if (isOver) return;
      // A run that has ended takes no signal.
      await run.signal(signal, payload).catch(() => {});
    }
  };
  void send();
  const noted = askForNotes(cluster, RUN_ID, notings);
  if (isCrowded) await cancelWithoutSlot(cluster, program);
  await run.wait();
  isOver = true;
  return [await run.exportHistory(), await noted()];
}

/** Cancels the run, and one that has not begun, while another one has the slot of their node. */
async function cancelWithoutSlot(cluster: TestCluster, program: Program): Promise<void> {
  await cluster.time.untilIdle();
  await cluster.workflows.start(hog);
  await cluster.time.untilIdle();
  const queued = await cluster.workflows.start("program", program);
  await queued.cancel();
  await queued.wait();
  // The run may have ended by then.
  await cluster.workflows.cancel(RUN_ID, { reason: "asked for" }).catch(() => {});
}

const BY_TEXT: readonly (readonly [RegExp, ProgramInvariant])[] = [
  [/nodes differ in its chunks/, "chunks-once"],
  [/nodes differ/, "replicas-equal"],
  [/ran again after its record/, "ran-again"],
  [/which had lost the run/, "lost"],
  [/it ended \d+ times/, "recorded-once"],
];

/** The finding that an error of a trial is: its first line, and the invariant that its text is about. */
export function findingOf(error: unknown): ProgramFinding {
  const message = error instanceof Error ? error.message : String(error);
  const invariant = BY_TEXT.find(([pattern]) => pattern.test(message))?.[1] ?? "ended";
  // The story follows, and is told apart from the message.
  return { invariant, message: message.split("\n")[0] ?? "" };
}
