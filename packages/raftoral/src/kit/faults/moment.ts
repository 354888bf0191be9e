/**
 * Moments in the life of a run, or of a node, at which a fault can be brought on.
 *
 * A commit is an entry of the log with one record of the run, or with several that were made without a wait between them. A call is a context call of
 * a body, replayed ones included: the first call of each body is call 1.
 */
import type { NodeId } from "@raftoral/raft-core";

/** A moment of a run, or of a node. Conditions on the run may be left out: then any run will do. */
export type Moment = (RunCondition & (StepMoment | CallMoment | CommitMoment | CommandMoment)) | RegistrationMoment;

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

/** An entry of the log with records of the run: the first that was proposed is commit 1. */
export interface CommitMoment {
  readonly commit: number;
  /**
   * `before`: nothing has left the owner. `proposed`: the others have the command, and the owner does not know what became of it. `after`: it is
   * committed and applied at the owner, where nothing has begun yet that waits for that (`before`).
   */
  readonly when?: CommandWhen;
}

/** What else is committed of a run. */
export interface CommandMoment {
  /** The run's start, a signal, its cancellation, or its end. */
  readonly command: CommandName;
  /** As for a record; of a start, signal or cancellation at the node that was asked (`before`). */
  readonly when?: CommandWhen;
}

/** A process of a node makes itself known as one that executes workflows: when it begins, and when it has been taken for lost or drained in between. */
export interface RegistrationMoment {
  /** Of which node; `any` for the next one that registers. */
  readonly registration: NodeId | "any";
  /** As for a record, at the node that registers (`before`). */
  readonly when?: CommandWhen;
  /** How often the moment must come before it counts: 1 for the first time (1). */
  readonly nth?: number;
}

/** Commands of a run beside its records. */
export type CommandName = "start" | "signal" | "cancel" | "end";
/** Stages of a commit. */
export type CommandWhen = "before" | "proposed" | "after";

/** Something that happened, to be compared with moments. */
export type Happening = RunHappening | RegistrationHappening;

/** A node registers. */
export interface RegistrationHappening {
  readonly at: "registration";
  readonly nodeId: NodeId;
  readonly when: CommandWhen;
}

/** Something of a run. */
export type RunHappening = {
  readonly runId: string;
  readonly workflowType: string;
  readonly nodeId: NodeId;
} & (
  | { readonly at: "step"; readonly step: string; readonly when: "starts" | "finishes" }
  | { readonly at: "call"; readonly call: number; readonly when: "begins" | "answered" }
  | { readonly at: "commit"; readonly commit: number; readonly when: CommandWhen }
  | { readonly at: "command"; readonly command: CommandName; readonly when: CommandWhen }
);

/** Whether `happening` is one of `moment`'s, whichever time. */
export function fits(moment: Moment, happening: Happening): boolean {
  if ("registration" in moment || happening.at === "registration") return isRegistration(moment, happening);
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
  if (happening.at === "step" || happening.at === "call") return false;
  if (happening.when !== (moment.when ?? "before")) return false;
  if ("commit" in moment) return happening.at === "commit" && happening.commit === moment.commit;
  return happening.at === "command" && happening.command === moment.command;
}

function isRegistration(moment: Moment, happening: Happening): boolean {
  if (!("registration" in moment) || happening.at !== "registration") return false;
  const isTheirs = moment.registration === "any" || moment.registration === happening.nodeId;
  return isTheirs && happening.when === (moment.when ?? "before");
}

/** A moment in words. */
export function describeMoment(moment: Moment): string {
  if ("registration" in moment) {
    const who = moment.registration === "any" ? "a node" : `node ${moment.registration}`;
    return `${moment.when ?? "before"} the registration of ${who}`;
  }
  if ("step" in moment) return `step ${moment.step} ${moment.when ?? "starts"}`;
  if ("call" in moment) return `call ${moment.call} ${moment.when ?? "begins"}`;
  if ("commit" in moment) return `${moment.when ?? "before"} commit ${moment.commit}`;
  return `${moment.when ?? "before"} ${moment.command}`;
}
