import { type Command, InvalidArgumentError } from "commander";
import { addClientOptions, type ChangeFlags, printJson, reasonOf, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";

interface LeaveFlags extends ChangeFlags {
  readonly id?: number;
}

/** `raftoral leave`: takes a node out of the cluster for good. */
export function addLeave(program: Command, io: CliIo): void {
  const command = program
    .command("leave")
    .summary("take a node out of the cluster")
    .description(
      "Take a node out of the cluster for good. The node asked hands over its runs and its leadership, leaves, and stops.\n" +
        "With --id another node is removed; its runs go to others. Use that for a node that will not come back.",
    )
    .option("--id <node>", "the node to remove instead of the one asked", parseNodeId)
    .option("--reason <text>", "why, for the audit")
    .addHelpText(
      "after",
      "\nExamples:\n  $ raftoral leave --node 10.0.0.3:5001     # node 3 leaves in order\n  $ raftoral leave --id 3                   # node 3 is dead: the others go on without it",
    );
  addClientOptions(command, io).action(async (flags: LeaveFlags) => {
    // Only the node named may be made to leave, never one that answers in its place.
    const pinned = flags.id === undefined;
    const nodeId = await withClient(flags, io, (client) => client.cluster.removeNode(flags.id, reasonOf(flags)), {
      pinned,
    });
    if (flags.json === true) printJson(io, { nodeId, removed: true });
    else io.out(`Node ${nodeId} is no member of the cluster any more.\n`);
  });
}

/** `raftoral transfer [NODE]`: moves the leadership. */
export function addTransfer(program: Command, io: CliIo): void {
  const command = program
    .command("transfer")
    .summary("move the leadership")
    .description("Hand the leadership to a node, or to the one that is furthest ahead. Runs stay where they are.")
    .argument("[node]", "id of the node that is to lead", parseNodeId)
    .option("--reason <text>", "why, for the audit")
    .addHelpText("after", "\nExample:\n  $ raftoral transfer 2");
  addClientOptions(command, io).action(async (to: number | undefined, flags: ChangeFlags) => {
    const leader = await withClient(flags, io, (client) => client.cluster.transferLeadership(to, reasonOf(flags)));
    if (flags.json === true) printJson(io, { leader });
    else io.out(`Node ${leader} leads.\n`);
  });
}

function parseNodeId(text: string): number {
  const nodeId = Number(text);
  if (Number.isSafeInteger(nodeId) && nodeId > 0) return nodeId;
  throw new InvalidArgumentError("A node id is a whole number above 0, as `raftoral status` shows it.");
}
