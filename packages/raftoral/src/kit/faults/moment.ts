/**
 * Moments in the life of a run at which a fault can be brought on.
 *
 * A commit is counted by the records of the run: the first record is commit 1. A call is a context call of a body, replayed ones included: the
 * first call of each body is call 1.
 */

/** A moment of a run. Conditions on the run may be left out: then any run will do. */
export type Moment = RunCondition & (StepMoment | CallMoment | CommitMoment);

/** Which runs a moment is of. */
export interface RunCondition {
  readonly runId?: string;
  /** A workflow's definition, or its type. */
  readonly workflow?: string | { readonly type: string };
  /** How often the moment must come before it counts: 1 for the first time (1). */
  readonly nth?: number;
}

/** An attempt of a step begins or ends, or its result is committed. */
export interface StepMoment {
  readonly step: string;
  /** `starts`: before the function. `finishes`: after it, before anything is proposed (`finishes`, by default `starts`). */
  readonly when?: "starts" | "finishes";
}

/** A body makes its n-th context call, or is about to get the answer. */
export interface CallMoment {
  readonly call: number;
  /** By default `begins`. */
  readonly when?: "begins" | "answered";
}

/** A record of the run. */
export interface CommitMoment {
  readonly commit: number;
  /**
   * `before`: nothing has left the owner. `proposed`: the owner's group has the command, and perhaps no other node yet. `after`: it is committed and
   * applied at the owner, whose body has not heard of it (`before`).
   */
  readonly when?: "before" | "proposed" | "after";
}

/** Something that happened, to be compared with moments. */
export type Happening = {
  readonly runId: string;
  readonly workflowType: string;
  readonly nodeId: number;
} & (
  | { readonly at: "step"; readonly step: string; readonly when: "starts" | "finishes" }
  | { readonly at: "call"; readonly call: number; readonly when: "begins" | "answered" }
  | { readonly at: "commit"; readonly commit: number; readonly when: "before" | "proposed" | "after" }
);

/** Whether `happening` is one of `moment`'s, whichever time. */
export function fits(moment: Moment, happening: Happening): boolean {
  const { runId, workflow } = moment;
  const type = typeof workflow === "object" ? workflow.type : workflow;
  if (runId !== undefined && runId !== happening.runId) return false;
  if (type !== undefined && type !== happening.workflowType) return false;
  if ("step" in moment) {
    return happening.at === "step" && happening.step === moment.step && happening.when === (moment.when ?? "starts");
  }
  if ("call" in moment) {
    return happening.at === "call" && happening.call === moment.call && happening.when === (moment.when ?? "begins");
  }
  return (
    happening.at === "commit" && happening.commit === moment.commit && happening.when === (moment.when ?? "before")
  );
}

/** A moment in words. */
export function describeMoment(moment: Moment): string {
  if ("step" in moment) return `step ${moment.step} ${moment.when ?? "starts"}`;
  if ("call" in moment) return `call ${moment.call} ${moment.when ?? "begins"}`;
  return `${moment.when ?? "before"} commit ${moment.commit}`;
}
