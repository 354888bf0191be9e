/** Commands that give a node an input: time, proposals, campaigns, reports. */
import type { StepOutcome } from "../../raft/outcome.ts";
import { type ConfChangeTransition, EMPTY_BYTES } from "../../types.ts";
import { parseBool, parseWhole, ScriptError, singleValue } from "../datadriven/arguments.ts";
import { parseConfChanges } from "../datadriven/conf-change-tokens.ts";
import type { Directive } from "../datadriven/script.ts";
import { bareAt, firstNodeId, named, withValues } from "./command-arguments.ts";
import { CommandError } from "./command-error.ts";
import type { Command, InteractionGroup } from "./interaction-group.ts";
import { ELECTION_TICKS, HEARTBEAT_TICKS } from "./node-commands.ts";
import { refusalText } from "./outcome-text.ts";

const TRANSITIONS: Readonly<Record<string, ConfChangeTransition>> = {
  auto: "Auto",
  implicit: "Implicit",
  explicit: "Explicit",
};

function expectAccepted(outcome: StepOutcome): void {
  const text = refusalText(outcome);
  if (text !== undefined) throw new CommandError(text);
}

function tick(env: InteractionGroup, directive: Directive, ticks: number): void {
  const { raw } = env.node(firstNodeId(directive));
  for (let i = 0; i < ticks; i++) raw.tick();
}

const propose: Command = (env, directive) => {
  const data = new TextEncoder().encode(bareAt(directive, 1));
  expectAccepted(env.node(firstNodeId(directive)).raw.propose(data));
};

const proposeConfChange: Command = (env, directive) => {
  const { raw } = env.node(firstNodeId(directive));
  let isV1 = false;
  let transition: ConfChangeTransition = "Auto";
  for (const argument of withValues(directive)) {
    const value = singleValue(argument);
    if (argument.key === "v1") isV1 = parseBool(value);
    else if (argument.key === "transition") {
      const named = TRANSITIONS[value];
      if (named === undefined) throw new CommandError(`unknown transition ${value}`);
      transition = named;
    } else throw new CommandError(`unknown command ${argument.key}`);
  }
  const changes = parseConfChanges(directive.input);
  if (!isV1) {
    expectAccepted(raw.proposeConfChange({ transition, changes, context: EMPTY_BYTES }));
    return;
  }
  const [change] = changes;
  if (changes.length > 1 || transition !== "Auto") {
    throw new CommandError("v1 conf change can only have one operation and no transition");
  }
  if (change === undefined) throw new ScriptError("a v1 conf change needs an operation");
  expectAccepted(raw.proposeConfChange({ id: 0, ...change, context: EMPTY_BYTES }));
};

const transferLeadership: Command = (env, directive) => {
  const from = parseWhole(singleValue(named(directive, "from")));
  const to = parseWhole(singleValue(named(directive, "to")));
  env.node(from).raw.transferLeader(to);
};

const setRandomizedElectionTimeout: Command = (env, directive) => {
  const timeout = parseWhole(singleValue(named(directive, "timeout")));
  env.node(firstNodeId(directive)).raw.raft.randomizedElectionTicks = timeout;
};

/** The commands by name. */
export const inputCommands: Readonly<Record<string, Command>> = {
  campaign: (env, directive) => env.node(firstNodeId(directive)).raw.campaign(),
  "forget-leader": (env, directive) => env.node(firstNodeId(directive)).raw.forgetLeader(),
  propose,
  "propose-conf-change": proposeConfChange,
  "report-unreachable": (env, directive) =>
    env.node(firstNodeId(directive)).raw.reportUnreachable(parseWhole(bareAt(directive, 1))),
  "set-randomized-election-timeout": setRandomizedElectionTimeout,
  "tick-election": (env, directive) => tick(env, directive, ELECTION_TICKS),
  "tick-heartbeat": (env, directive) => tick(env, directive, HEARTBEAT_TICKS),
  "transfer-leadership": transferLeadership,
};
