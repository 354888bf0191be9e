import type { Restoration } from "@raftoral/storage-lmdb";
import type { Command } from "commander";
import { parseReachableAddress } from "../../../api/cluster/address.ts";
import { printJson } from "../../client-command.ts";
import { entrySpan } from "./entry-span.ts";
import { newClusterId } from "./new-cluster-id.ts";
import { type StorageCommandHost, storageTools } from "./storage-tools.ts";

interface RestoreFlags {
  readonly newClusterId?: string;
  readonly address?: string;
  readonly json?: boolean;
}

/** `raftoral storage restore BACKUP DIR`: a new cluster of one node, with what the backup has. */
export function addRestore(storage: Command, { io }: StorageCommandHost): void {
  storage
    .command("restore")
    .summary("make a new cluster of a backup")
    .description(
      "Make a data folder of a backup: of a NEW cluster, with the backup's node as its only member. Start a node in it, then\n" +
        "let others join it. Nodes of the old cluster and of the new one refuse to speak to each other.",
    )
    .argument("<backup>", "the backup")
    .argument("<dir>", "the data folder to make: new or empty")
    .option("--new-cluster-id <id>", "id of the new cluster (default: the old one's name with a new suffix)")
    .option("--address <host:port>", "where the node is going to listen, if that is not where it was")
    .option("--json", "print JSON for programs")
    .option("--verbose", "print the stack of an error")
    .addHelpText(
      "after",
      "\nExample:\n  $ raftoral storage restore backups/monday data/new --address 10.0.0.9:5001\n" +
        "  $ raftoral start --data data/new --listen 10.0.0.9:5001 --workflows workflows.ts",
    )
    .action(async (backup: string, dir: string, flags: RestoreFlags) => {
      const { readBackupManifest, restoreBackup } = await storageTools();
      if (flags.address !== undefined) parseReachableAddress(flags.address, "--address");
      const { clusterId: old } = await readBackupManifest(backup);
      const restoration = await restoreBackup(backup, dir, {
        clusterId: newClusterId(flags.newClusterId, old),
        ...(flags.address === undefined ? {} : { address: flags.address }),
      });
      if (flags.json === true) printJson(io, restoration);
      else io.out(formatRestoration(dir, restoration));
    });
}

function formatRestoration(dir: string, { manifest, identity, clusterId, groups }: Restoration): string {
  const unsure = groups.flatMap((each) =>
    each.kind === "recovered" && each.lastIndex > each.committed
      ? [
          `Group ${each.group}: not known to be committed, and counting as committed now: ${entrySpan(each.committed + 1, each.lastIndex)}.`,
        ]
      : [],
  );
  return [
    `Restored node ${identity.nodeId} of cluster ${manifest.clusterId}, as of ${manifest.createdAt}, in ${dir}.`,
    `It is the only member of the new cluster ${clusterId}.`,
    ...unsure,
    "What was acknowledged after the backup is not in it.",
    "Start it with `raftoral start --data DIR --listen ADDR`; let others join it with empty folders: `raftoral join ADDR`.",
    "",
  ].join("\n");
}
