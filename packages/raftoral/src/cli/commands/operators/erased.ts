import { type Command, InvalidArgumentError } from "commander";
import type { NodeStatus } from "../../../api/cluster/cluster.ts";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../../client-command.ts";
import type { CliIo } from "../../io.ts";
import { formatTable } from "../../table.ts";

/** Where a node has something of a deleted run still. */
interface Erasure {
  readonly nodeId: number;
  readonly address: string;
  /** Undefined for a node that did not answer. */
  readonly state: boolean | undefined;
  readonly log: boolean | undefined;
  readonly snapshot: boolean | undefined;
}

/** `raftoral erased POSITION`: whether every node has lost what a deleted run had. */
export function addErased(program: Command, io: CliIo): void {
  const command = program
    .command("erased")
    .summary("show where deleted runs are still kept")
    .description(
      "Show for each node whether anything of the runs that were deleted up to a place in the log is still in its state, its log or its snapshot. `raftoral delete` prints the place. Backups are not looked at.",
    )
    .argument("<position>", "what `raftoral delete` printed", parsePosition)
    .addHelpText("after", "\nExample:\n  $ raftoral delete A17\n  $ raftoral erased 4711");
  addClientOptions(command, io).action(async (position: number, flags: ClientFlags) => {
    const members = await withClient(flags, io, (client) => client.cluster.members());
    const nodes = await Promise.all(
      members.map(async ({ nodeId, address }): Promise<Erasure> => {
        try {
          const asked = { ...flags, node: address };
          const status = await withClient(asked, io, (client) => client.cluster.status(), { pinned: true });
          return { nodeId, address, ...erasureOf(status, position) };
        } catch {
          return { nodeId, address, state: undefined, log: undefined, snapshot: undefined };
        }
      }),
    );
    if (flags.json === true) printJson(io, nodes);
    else io.out(tableOf(nodes));
  });
}

/** Whether a node has nothing any more of what was deleted up to a position. */
export function erasureOf({ applied, isSwept, firstIndex, snapshotIndex }: NodeStatus, position: number) {
  return {
    state: applied >= position && isSwept,
    log: firstIndex > position,
    snapshot: snapshotIndex === 0 || snapshotIndex >= position,
  };
}

function tableOf(nodes: readonly Erasure[]): string {
  const text = (is: boolean | undefined): string => (is === undefined ? "unknown" : is ? "gone" : "kept");
  return formatTable(
    [
      { title: "NODE", align: "right" },
      { title: "ADDRESS" },
      { title: "STATE" },
      { title: "LOG" },
      { title: "SNAPSHOT" },
    ],
    nodes.map(({ nodeId, address, state, log, snapshot }) => [
      String(nodeId),
      address,
      text(state),
      text(log),
      text(snapshot),
    ]),
  );
}

function parsePosition(text: string): number {
  const position = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(position)) return position;
  throw new InvalidArgumentError("A place in the log is a whole number, as `raftoral delete` prints it.");
}
