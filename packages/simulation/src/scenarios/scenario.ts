/**
 * Scenarios: what random programs cannot say, because it happens around several runs. Callers of objects, readers of streams, runs in queues and of schedules, operators.
 *
 * SC1. What happens is a list of acts, drawn from a seed, that JSON can carry: the same acts and disturbances give the same course.
 * SC2. A stage judges by a model of its own, worked out from the acts alone; it never asks the engine what is right.
 */
import type { WorkflowDefinition } from "@raftoral/workflow";
import type { DisturbanceKind, TestCluster } from "raftoral/testing";
import type { ProgramFinding } from "../workflows/finding.ts";
import type { Below } from "../workflows/program/draw-program.ts";

/** One thing that somebody does, with details that are text, numbers or lists of text. */
export interface Act {
  readonly do: string;
  readonly [detail: string]: string | number | boolean | readonly string[];
}

/** One carrying out of a scenario, on a cluster of its own. */
export interface Stage {
  /** What the nodes execute. */
  readonly workflows: readonly WorkflowDefinition[];
  /** Carries the acts out, and waits until all they lead to is over. Resolves with what is wrong; what it rejects with is a finding, too. */
  play(cluster: TestCluster): Promise<readonly ProgramFinding[]>;
}

/** A kind of scenario. */
export interface ScenarioKind {
  readonly name: string;
  /** The run whose calls and entries are the moments of disturbances. */
  readonly focus: string;
  /** Disturbances that its model does not cover. */
  readonly spares: readonly DisturbanceKind[];
  draw(below: Below): readonly Act[];
  stage(acts: readonly Act[]): Stage;
}

/** An act as a line for people. */
export function actLine({ do: what, ...details }: Act): string {
  return [what, ...Object.entries(details).map(([key, value]) => `${key}=${String(value)}`)].join(" ");
}

/** Lets virtual time pass, as a caller that does something else meanwhile. */
export function pause(cluster: TestCluster, ms: number): Promise<void> {
  return ms > 0 ? cluster.time.drive(cluster.after(ms)) : Promise.resolve();
}

/** A number of an act. */
export function numberOf(act: Act, detail: string): number {
  return Number(act[detail] ?? 0);
}

/** A text of an act. */
export function textOf(act: Act, detail: string): string {
  return String(act[detail] ?? "");
}
