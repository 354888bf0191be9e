import type { BackupManifest } from "@raftoral/storage-lmdb";
import type { Command } from "commander";
import { printJson } from "../../client-command.ts";
import { progressTo } from "./progress.ts";
import { formatBytes } from "./sizes.ts";
import { type StorageCommandHost, storageTools } from "./storage-tools.ts";

/** `raftoral storage backup DIR OUT`: copies the folder of a stopped node. */
export function addBackup(storage: Command, { io }: StorageCommandHost): void {
  storage
    .command("backup")
    .summary("copy the data folder of a stopped node")
    .description(
      "Look at every record of the data folder of a node that does not run, and copy it into a new folder. A folder with\n" +
        "anything damaged is refused. Of a running node, see `raftoral backup`.",
    )
    .argument("<dir>", "the data folder")
    .argument("<out>", "the backup: a new or empty folder")
    .option("--json", "print the manifest as JSON")
    .option("--verbose", "print the stack of an error")
    .addHelpText("after", "\nExample:\n  $ raftoral storage backup data/1 backups/monday")
    .action(async (dir: string, out: string, flags: { readonly json?: boolean }) => {
      const { backupFolder } = await storageTools();
      const manifest = await backupFolder(dir, out, { progress: progressTo(io) });
      if (flags.json === true) printJson(io, manifest);
      else io.out(formatManifest(out, manifest));
    });
}

/** What a backup is, in a few lines. */
export function formatManifest(
  path: string,
  { nodeId, clusterId, groups, files }: Pick<BackupManifest, "nodeId" | "clusterId" | "groups" | "files">,
): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const ends = groups.map(({ group, lastIndex, commit }) => `group ${group} up to ${lastIndex}, committed ${commit}`);
  return (
    `Node ${nodeId} of cluster ${clusterId} is backed up in ${path}: ${files.length} files, ${formatBytes(bytes)}` +
    `${ends.length === 0 ? "" : `; ${ends.join("; ")}`}.\n`
  );
}
