/** `process-ready`, `process-append-thread` and `process-apply-thread`. */
import { invariant } from "../../errors.ts";
import { type Message, message } from "../../message.ts";
import { nodeIds } from "./command-arguments.ts";
import { inEtcdForm } from "./etcd-form.ts";
import { describeMessage, describeReady } from "./format.ts";
import type { Command, InteractionGroup } from "./interaction-group.ts";
import { type InteractionNode, processAppend, processApply } from "./interaction-node.ts";

type Step = (env: InteractionGroup, node: InteractionNode) => void;

/** Carries out one Ready. In asynchronous mode it hands the work to the threads. */
export const processReady: Step = (env, node) => {
  const ready = env.likeEtcd ? inEtcdForm(node.raw.ready()) : node.raw.ready();
  env.output.write(describeReady(ready));
  if (!node.asyncStorageWrites) {
    processAppend(node, ready);
    processApply(node, ready.committedEntries);
  }
  for (const m of ready.messages) {
    if (m.type === "MsgStorageAppend") node.appendWork.push(m);
    else if (m.type === "MsgStorageApply") node.applyWork.push(m);
    else {
      invariant(m.to > 0, `${m.type} is addressed to a storage thread`);
      env.messages.push(m);
    }
  }
  if (!node.asyncStorageWrites) node.raw.advance();
};

/** Carries out the oldest work of the append thread. */
export const processAppendThread: Step = (env, node) => {
  const m = node.appendWork.shift();
  if (m === undefined) {
    env.output.write("no append work to perform");
    return;
  }
  const { term, vote, commit, entries, snapshot } = m;
  processThreadItem(env, m, () => processAppend(node, { hardState: { term, vote, commit }, entries, snapshot }));
};

/** Carries out the oldest work of the apply thread. */
export const processApplyThread: Step = (env, node) => {
  const m = node.applyWork.shift();
  if (m === undefined) {
    env.output.write("no apply work to perform");
    return;
  }
  processThreadItem(env, m, () => processApply(node, m.entries));
};

function processThreadItem(env: InteractionGroup, m: Message, work: () => void): void {
  env.output.write(`Processing:\n${describeMessage(message({ ...m, responses: [] }))}\n`);
  work();
  env.output.write("Responses:\n");
  for (const response of m.responses) env.output.write(`${describeMessage(response)}\n`);
  env.messages.push(...m.responses);
}

/** A command that takes one step on each named node. With several nodes each step has a header. */
function onEach(what: string, step: Step): Command {
  return (env, directive) => {
    const nodes = nodeIds(directive).map((id) => env.node(id));
    for (const node of nodes) {
      if (nodes.length === 1) step(env, node);
      else {
        env.output.write(`> ${node.id} ${what}\n`);
        env.output.indented(() => step(env, node));
      }
    }
  };
}

/** The commands by name. */
export const processCommands: Readonly<Record<string, Command>> = {
  "process-ready": onEach("handling Ready", processReady),
  "process-append-thread": onEach("processing append thread", processAppendThread),
  "process-apply-thread": onEach("processing apply thread", processApplyThread),
};
