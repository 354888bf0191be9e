/** Commands that change no node: `log-level`, `raft-log`, `raft-state`, `status`. */
import { invariant } from "../../errors.ts";
import { bareAt, firstNodeId } from "./command-arguments.ts";
import { describeEntries } from "./format.ts";
import type { Command, InteractionGroup } from "./interaction-group.ts";
import type { InteractionNode } from "./interaction-node.ts";

/** Prints the stored entries of a node. */
export function printLog(env: InteractionGroup, { storage }: InteractionNode): void {
  const first = storage.firstIndex();
  const last = storage.lastIndex();
  if (last < first) {
    env.output.write(`log is empty: first index=${first}, last index=${last}`);
    return;
  }
  const entries = storage.entries(first, last + 1, Number.POSITIVE_INFINITY);
  invariant(typeof entries !== "string", `entries [${first}, ${last + 1}) of the storage are ${entries}`);
  env.output.write(describeEntries(entries));
}

const raftState: Command = (env) => {
  for (const { raw } of env.nodes) {
    const { id, softState, hardState, config } = raw.status();
    const voter = config.voters.has(id) ? "Voter" : "Non-Voter";
    env.output.write(`${id}: ${softState.role} (${voter}) Term:${hardState.term} Lead:${softState.lead}\n`);
  }
};

const status: Command = (env, directive) => {
  const { progress } = env.node(firstNodeId(directive)).raw.status();
  for (const [id, one] of progress) env.output.write(`${id}: ${one}\n`);
};

/** The commands by name. */
export const printCommands: Readonly<Record<string, Command>> = {
  "log-level": (env, directive) => {
    env.output.level = bareAt(directive, 0).toLowerCase();
  },
  "raft-log": (env, directive) => printLog(env, env.node(firstNodeId(directive))),
  "raft-state": raftState,
  status,
};
