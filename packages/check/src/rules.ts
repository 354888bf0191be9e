/** What the check looks for. docs/workflow-check.md has a section with a wrong and a right example for each rule. */

/** The name of a rule. */
export type RuleId =
  | "call-in-step"
  | "clock"
  | "disable-comment"
  | "duplicate-name"
  | "environment"
  | "foreign-promise"
  | "io"
  | "outer-context"
  | "random"
  | "timer"
  | "unawaited-call";

/** The texts of a rule. */
export interface Rule {
  /** What is wrong with the code that the rule finds. */
  readonly summary: string;
  /** What to write instead. */
  readonly advice: string;
}

/** Every rule, by id. */
export const RULES: Readonly<Record<RuleId, Rule>> = {
  "call-in-step": {
    summary: "A step function calls the workflow context.",
    advice: "Make the call in the body, before or after the step, and hand its result to the step function.",
  },
  clock: {
    summary: "A body reads the clock.",
    advice: "Use await ctx.now(), or read the clock inside a step.",
  },
  "disable-comment": {
    summary: "A comment that disables a rule is wrong or does nothing.",
    advice:
      "Write raftoral-check-disable-next-line RULE -- REASON, and remove the comment when nothing is found there.",
  },
  "duplicate-name": {
    summary: "Parallel branches use one name after an await.",
    advice: "Give each branch a scope of its own: ctx.scope(name, async (branch) => ...), and call the branch.",
  },
  environment: {
    summary: "A body reads the process or the machine that runs it.",
    advice: "Pass the value as input of the workflow, or read it inside a step.",
  },
  "foreign-promise": {
    summary: "A body waits for a promise that is not recorded.",
    advice: "Wait for it inside a step, or let the outside send a signal and use ctx.waitFor.",
  },
  io: {
    summary: "A body uses the network, files or other processes.",
    advice: "Do it inside a step: await ctx.step(name, () => ...).",
  },
  "outer-context": {
    summary: "A scope's function calls the context around the scope.",
    advice: "Call the context that the scope's function receives: ctx.scope(name, async (branch) => branch.step(...)).",
  },
  random: {
    summary: "A body draws random values.",
    advice: "Use ctx.random() or ctx.uuid(), or draw inside a step.",
  },
  timer: {
    summary: "A body sets a timer.",
    advice: "Use await ctx.sleep(duration), or the timeout of ctx.step and ctx.waitFor.",
  },
  "unawaited-call": {
    summary: "The promise of a context call is dropped.",
    advice: "Await the call, return it, or await it later, for example with Promise.all.",
  },
};

/** Whether `text` is the id of a rule. */
export function isRuleId(text: string): text is RuleId {
  return Object.hasOwn(RULES, text);
}
