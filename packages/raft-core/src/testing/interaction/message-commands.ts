/** `deliver-msgs` and `send-snapshot`. */
import { type Message, message } from "../../message.ts";
import type { NodeId } from "../../types.ts";
import { parseWhole, ScriptError, singleValue, wholeValues } from "../datadriven/arguments.ts";
import { bareAt, firstNodeId, nodeIds } from "./command-arguments.ts";
import { describeMessage } from "./format.ts";
import type { Command, InteractionGroup } from "./interaction-group.ts";
import { refusalText } from "./outcome-text.ts";

/** A node whose messages are delivered or dropped. */
export interface Recipient {
  readonly id: NodeId;
  readonly drop: boolean;
}

/** Whether a message cannot get lost: one of a node to itself, or from or to its storage threads. */
function isReliable(m: Message): boolean {
  return m.from === m.to || m.from < 0 || m.to < 0;
}

function isFor(m: Message, recipient: Recipient, type: string | undefined): boolean {
  return m.to === recipient.id && !(recipient.drop && isReliable(m)) && (type === undefined || m.type === type);
}

/** Whether {@link deliver} would find a message for node `id`. */
export function hasMessages(env: InteractionGroup, id: NodeId): boolean {
  return env.messages.some((m) => m.to === id);
}

/** Delivers or drops the waiting messages of each recipient in turn, oldest first. Returns the number of these messages. */
export function deliver(env: InteractionGroup, recipients: readonly Recipient[], type?: string): number {
  let count = 0;
  for (const recipient of recipients) {
    const chosen = env.messages.filter((m) => isFor(m, recipient, type));
    env.messages = env.messages.filter((m) => !isFor(m, recipient, type));
    count += chosen.length;
    for (const m of chosen) {
      env.output.write(`${recipient.drop ? "dropped: " : ""}${describeMessage(m)}\n`);
      // A dropped message may be for a node that does not exist yet.
      if (recipient.drop) continue;
      const refusal = refusalText(env.node(m.to).raw.step(m));
      if (refusal !== undefined) env.output.write(`${refusal}\n`);
    }
  }
  return count;
}

const deliverMsgs: Command = (env, directive) => {
  const recipients: Recipient[] = [];
  let type: string | undefined;
  for (const argument of directive.args) {
    if (argument.values === undefined) recipients.push({ id: parseWhole(argument.key), drop: false });
    else if (argument.key === "type") type = singleValue(argument);
    else if (argument.key === "drop") {
      for (const id of wholeValues(argument)) {
        const both = recipients.some((recipient) => recipient.id === id && !recipient.drop);
        if (both) throw new ScriptError(`messages to ${id} cannot be both delivered and dropped`);
        recipients.push({ id, drop: true });
      }
    } else throw new ScriptError(`deliver-msgs does not know ${argument.key}`);
  }
  if (deliver(env, recipients, type) === 0) env.output.write("no messages\n");
};

const sendSnapshot: Command = (env, directive) => {
  if (nodeIds(directive).length !== 2) throw new ScriptError("send-snapshot needs sender and receiver");
  const sender = env.node(firstNodeId(directive));
  const m = message({
    type: "MsgSnap",
    from: sender.id,
    to: parseWhole(bareAt(directive, 1)),
    term: sender.raw.basicStatus().hardState.term,
    snapshot: sender.storage.snapshot(),
  });
  env.messages.push(m);
  env.output.write(describeMessage(m));
};

/** The commands by name. */
export const messageCommands: Readonly<Record<string, Command>> = {
  "deliver-msgs": deliverMsgs,
  "send-snapshot": sendSnapshot,
};
