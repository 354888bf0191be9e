/**
 * A feature of workflows, shown by one run whose owner is killed in the middle of it. features.test.ts brings a run of each feature to its middle on one
 * node, kills that node, and sees every run end on the others.
 *
 * FE1. A run stays in its middle as long as its owner lives: it waits for what is done after the kill, or is held up (programs/held-up.ts). Only so many
 *      features can share one kill, and a busy machine takes the time that it takes.
 * FE2. To add a feature: its workflow to programs/ and to the list in programs/workflows.ts, a {@link feature} in this folder, and that to table.ts.
 */
import type { HistoryRecord, RaftoralClient, Run, Workflows } from "raftoral";
import { eventually } from "../harness/index.ts";

/** Longest for each thing that a feature waits for. */
export const WAIT_MS = 30_000;

/** The cluster as a feature sees it before the kill. */
export interface BeforeKill {
  /** Asks the node that will be killed. A run that is started there belongs to that node. */
  readonly workflows: Workflows;
  /** A client that knows the node that will be killed first, then the others. The caller closes it. */
  connect(): Promise<RaftoralClient>;
  /** Asks one node that will live, and no other. */
  readonly others: readonly Workflows[];
}

/** The cluster as a feature sees it after the kill. */
export interface AfterKill {
  /** Asks a node that lives. */
  readonly workflows: Workflows;
  /** The node that was killed. */
  readonly killed: number;
  /** Starts the killed node again; the first feature that asks for it does. */
  restart(): Promise<void>;
}

/** What is said of a feature in its file. */
export interface FeatureOptions<Found> {
  /** What is shown: the name of its test. */
  readonly title: string;
  /** The run is ended by time, and time that passes before the kill is lost: it begins when all others are in their middle. */
  readonly isTimed?: boolean;
  /** Starts a run and resolves when it is in its middle, with whatever the end is to be compared with. */
  begin(cluster: BeforeKill): Promise<Found>;
  /** Does what is left to do from outside, and expects the end. */
  end(cluster: AfterKill, found: Found): Promise<void>;
}

/** A feature, ready to be played. */
export interface Feature {
  readonly title: string;
  readonly isTimed: boolean;
  /** Resolves in the middle, with what is to be done after the kill. */
  begin(cluster: BeforeKill): Promise<(cluster: AfterKill) => Promise<void>>;
}

/** Makes a {@link Feature}. */
export function feature<Found>({ title, isTimed = false, begin, end }: FeatureOptions<Found>): Feature {
  return {
    title,
    isTimed,
    begin: async (before) => {
      const found = await begin(before);
      return (after) => end(after, found);
    },
  };
}

/** Resolves when `probe` gives something, as `eventually` does, within {@link WAIT_MS}. */
export function until<T>(what: string, probe: () => Promise<T | undefined | false>): Promise<T> {
  return eventually(WAIT_MS, what, probe);
}

/** The steps that are recorded of a run, in their order. */
export async function stepsOf(run: Pick<Run, "history">): Promise<readonly HistoryRecord[]> {
  return (await Array.fromAsync(run.history())).filter(({ kind }) => kind === "step");
}
