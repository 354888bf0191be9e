/** `stabilize`: runs nodes until none of them has work. */
import { ScriptError, singleValue } from "../datadriven/arguments.ts";
import { nodeIds, withValues } from "./command-arguments.ts";
import type { Command, InteractionGroup } from "./interaction-group.ts";
import type { InteractionNode } from "./interaction-node.ts";
import { deliver, hasMessages } from "./message-commands.ts";
import { processAppendThread, processApplyThread, processReady } from "./process-commands.ts";

/** Rounds after which the command fails, because nodes that still have work will never come to rest. */
const MAX_ROUNDS = 100_000;

interface Phase {
  readonly header: string;
  hasWork(env: InteractionGroup, node: InteractionNode): boolean;
  /** Does the work. Its output is indented under the header. */
  work(env: InteractionGroup, node: InteractionNode): void;
}

/** The phases of a round, in order, each for all nodes. */
const PHASES: readonly Phase[] = [
  { header: "handling Ready", hasWork: (_env, node) => node.raw.hasReady(), work: processReady },
  {
    header: "receiving messages",
    hasWork: (env, node) => hasMessages(env, node.id),
    work: (env, node) => {
      deliver(env, [{ id: node.id, drop: false }]);
    },
  },
  {
    header: "processing append thread",
    hasWork: (_env, node) => node.appendWork.length > 0,
    work: (env, node) => {
      while (node.appendWork.length > 0) processAppendThread(env, node);
    },
  },
  {
    header: "processing apply thread",
    hasWork: (_env, node) => node.applyWork.length > 0,
    work: (env, node) => {
      while (node.applyWork.length > 0) processApplyThread(env, node);
    },
  },
];

function stabilizeNodes(env: InteractionGroup, nodes: readonly InteractionNode[]): void {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let isIdle = true;
    for (const phase of PHASES) {
      for (const node of nodes) {
        if (!phase.hasWork(env, node)) continue;
        env.output.write(`> ${node.id} ${phase.header}\n`);
        env.output.indented(() => phase.work(env, node));
        isIdle = false;
      }
    }
    if (isIdle) return;
  }
  throw new ScriptError(`the nodes still have work after ${MAX_ROUNDS} rounds`);
}

const stabilize: Command = (env, directive) => {
  const chosen = nodeIds(directive).map((id) => env.node(id));
  const level = env.output.level;
  try {
    for (const argument of withValues(directive)) {
      if (argument.key !== "log-level") throw new ScriptError(`stabilize does not know ${argument.key}`);
      env.output.level = singleValue(argument).toLowerCase();
    }
    stabilizeNodes(env, chosen.length > 0 ? chosen : env.nodes);
  } finally {
    env.output.level = level;
  }
};

/** The command by name. */
export const stabilizeCommands: Readonly<Record<string, Command>> = { stabilize };
