import type { Command } from "commander";
import { addClientOptions, type ClientFlags, printJson, withClient } from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { formatBytes } from "./storage/sizes.ts";

/** A gigabyte takes seconds; a slow disk or a large one should not need another option. */
const DEFAULT_TIMEOUT_MS = 600_000;

/** `raftoral backup NAME`: a backup of a node that runs. */
export function addBackup(program: Command, io: CliIo): void {
  const command = program
    .command("backup")
    .summary("back a running node up")
    .description(
      "Have a running node back itself up, on its own machine, in a new folder below the one it was started with for that\n" +
        "(--backup-dir). It goes on serving. Look at the backup with `raftoral storage verify` afterwards.",
    )
    .argument("<name>", "name of the new folder")
    .addHelpText("after", "\nExample:\n  $ raftoral backup monday --node 10.0.0.3:5001");
  addClientOptions(command, io);
  command.setOptionValueWithSource("timeout", DEFAULT_TIMEOUT_MS, "default");
  command.action(async (name: string, flags: ClientFlags) => {
    // The node named is the one whose machine gets it.
    const backup = await withClient(flags, io, (client) => client.cluster.backUp(name), { pinned: true });
    if (flags.json === true) {
      printJson(io, backup);
      return;
    }
    const ends = backup.groups.map(({ group, lastIndex }) => `group ${group} up to ${lastIndex}`).join(", ");
    io.out(
      `Node ${backup.nodeId} of cluster ${backup.clusterId} is backed up in ${backup.path} on its machine: ` +
        `${backup.files} files, ${formatBytes(backup.bytes)}; ${ends}.\n`,
    );
  });
}
