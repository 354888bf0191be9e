/**
 * Updates of random programs: callers ask for notes while the body goes on, each twice with one id, and what they are answered is compared with what a body says that is run
 * again from the record (P19 of finding.ts).
 */
import { query, update, type WorkflowContext } from "@raftoral/workflow";
import type { TestCluster } from "raftoral/testing";
import type { ProgramFinding } from "./finding.ts";

/** An update that is asked for, twice at once with one id. */
export interface Noting {
  /** Virtual milliseconds after the one before. */
  readonly afterMs: number;
  /** How long its handler sleeps, between two steps; 0: not at all. */
  readonly sleepsMs: number;
}

/** A note as its handler took it. */
export interface Note {
  readonly n: number;
  /** How many were taken before. */
  readonly place: number;
  /** Of the body, from 1. */
  readonly generation: number;
  /** What the code outside of branches had been answered with as the handler began. */
  readonly course: string;
}

interface Asked {
  readonly n: number;
  readonly sleepsMs: number;
}

const NOTE = update<Note, Asked>("note");
const NOTES = query<readonly Note[]>("notes");

/** The handler's course: what it began with, and the step that it runs. */
export interface NoteTaker {
  readonly generation: number;
  readonly course: () => string;
  readonly step: (ctx: WorkflowContext, course: string) => Promise<unknown>;
}

/** Takes notes for the rest of the body's life. */
export function takeNotes(ctx: WorkflowContext, { generation, course, step }: NoteTaker): void {
  const taken: Note[] = [];
  ctx.onQuery(NOTES, () => taken);
  ctx.onUpdate(NOTE, async (own, { n, sleepsMs }) => {
    const note: Note = { n, place: taken.length, generation, course: course() };
    taken.push(note);
    await step(own, note.course);
    if (sleepsMs > 0) {
      await own.sleep(sleepsMs);
      await step(own, `${note.course}|slept`);
    }
    return note;
  });
}

/** What callers heard: notes by their numbers, and what kept one from being taken. */
export interface Heard {
  readonly notes: Map<number, readonly Note[]>;
  readonly refusals: string[];
}

/** Asks for each note, until the function that comes back is called: it settles when the calls that were made have. */
export function askForNotes(cluster: TestCluster, runId: string, notings: readonly Noting[]): () => Promise<Heard> {
  const heard: Heard = { notes: new Map(), refusals: [] };
  const asked: Promise<unknown>[] = [];
  let isOver = false;
  const ask = (n: number, sleepsMs: number): Promise<Note> =>
    cluster.workflows.update(runId, NOTE, { n, sleepsMs }, { id: `note-${n}` });
  const askTwice = async (n: number, sleepsMs: number): Promise<void> => {
    const settled = await Promise.allSettled([ask(n, sleepsMs), ask(n, sleepsMs)]);
    const notes = settled.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    if (notes.length > 0) heard.notes.set(n, notes);
    for (const one of settled) if (one.status === "rejected") heard.refusals.push(codeOf(one.reason));
  };
  const askAll = async (): Promise<void> => {
    for (const [n, { afterMs, sleepsMs }] of notings.entries()) {
      if (afterMs > 0) await cluster.after(afterMs);
      if (isOver) return;
      asked.push(askTwice(n, sleepsMs));
    }
  };
  void askAll();
  return async () => {
    isOver = true;
    await Promise.all(asked);
    return heard;
  };
}

/** How the run ended. */
export interface RunEnd {
  readonly outcome: string | undefined;
  /** Of its last body. */
  readonly generation: number;
  /** Whether the nodes have the code that answers queries of it. */
  readonly mayAsk: boolean;
}

/** P19. */
export async function judgeNotes(
  cluster: TestCluster,
  runId: string,
  { notes, refusals }: Heard,
  { mayAsk, outcome, generation }: RunEnd,
): Promise<readonly ProgramFinding[]> {
  const finding = (message: string): ProgramFinding => ({ invariant: "updates-once", message });
  const stray = refusals.find(
    (code) => code !== "WORKFLOW_FINISHED" && (outcome === "completed" || code !== "UPDATE_FAILED"),
  );
  if (stray !== undefined) return [finding(`a caller of an update heard ${stray}`)];
  for (const [n, heard] of notes) {
    if (new Set(heard.map((note) => JSON.stringify(note))).size > 1)
      return [finding(`two callers of update ${n} heard ${JSON.stringify(heard)}`)];
  }
  if (!mayAsk || notes.size === 0) return [];
  const taken = await cluster.workflows.query(runId, NOTES);
  if (new Set(taken.map(({ n }) => n)).size < taken.length)
    return [finding(`an update was executed twice: ${JSON.stringify(taken)}`)];
  for (const [n, [heard]] of notes) {
    const again = taken.find((note) => note.n === n);
    // An earlier generation took it.
    if (again === undefined && heard?.generation !== generation) continue;
    if (JSON.stringify(again) !== JSON.stringify(heard))
      return [finding(`update ${n} was answered ${JSON.stringify(heard)}, and a replay says ${JSON.stringify(again)}`)];
  }
  return [];
}

function codeOf(error: unknown): string {
  return String((error as { readonly code?: unknown }).code ?? error);
}
