import type { FolderRecovery, GroupRecovery } from "@raftoral/storage-lmdb";
import type { Command } from "commander";
import { parseReachableAddress } from "../../../api/cluster/address.ts";
import { NodeError } from "../../../api/errors.ts";
import { printJson } from "../../client-command.ts";
import { entrySpan } from "./entry-span.ts";
import { newClusterId } from "./new-cluster-id.ts";
import { type StorageCommandHost, storageTools } from "./storage-tools.ts";

interface RecoverFlags {
  readonly acceptDataLoss?: boolean;
  readonly newClusterId?: string;
  readonly keepClusterId?: boolean;
  readonly address?: string;
  readonly json?: boolean;
}

/** Nothing was done, for the flag was missing. */
const EXIT_USAGE = 2;

/** `raftoral storage recover DIR`: the way out of a majority that is lost for good. */
export function addRecover(storage: Command, { io, setExitCode }: StorageCommandHost): void {
  storage
    .command("recover")
    .summary("go on with one node after a majority was lost for good")
    .description(
      "Go on with ONE node of a cluster whose majority is lost for good: it becomes the only member of a new cluster, which\n" +
        "others join. Without --accept-data-loss it only says what it would do, and what may be lost.",
    )
    .argument("<dir>", "the data folder of the node that is left and furthest ahead")
    .option("--accept-data-loss", "do it")
    .option("--new-cluster-id <id>", "id of the new cluster (default: the old one's name with a new suffix)")
    .option("--keep-cluster-id", "dangerous: old nodes that come back would be spoken to")
    .option("--address <host:port>", "where the node is going to listen, if that is not where it was")
    .option("--json", "print JSON for programs")
    .option("--verbose", "print the stack of an error")
    .addHelpText(
      "after",
      "\nExamples:\n  $ raftoral storage inspect data/1              # on each node that is left: which is furthest ahead?\n" +
        "  $ raftoral storage recover data/1\n  $ raftoral storage recover data/1 --accept-data-loss",
    )
    .action(async (dir: string, flags: RecoverFlags) => {
      const { inspectFolder, planRecovery, recoverFolder } = await storageTools();
      if (flags.address !== undefined) parseReachableAddress(flags.address, "--address");
      if (flags.keepClusterId === true && flags.newClusterId !== undefined) {
        throw new NodeError(
          "OPTIONS_INVALID",
          "Options --keep-cluster-id and --new-cluster-id exclude each other. Give one of them.",
        );
      }
      const old = (await inspectFolder(dir)).identity?.clusterId ?? "";
      const options = {
        clusterId: flags.keepClusterId === true ? old : newClusterId(flags.newClusterId, old),
        ...(flags.address === undefined ? {} : { address: flags.address }),
      };
      const isDone = flags.acceptDataLoss === true;
      const recovery = await (isDone ? recoverFolder : planRecovery)(dir, options);
      if (flags.json === true) printJson(io, { done: isDone, ...recovery });
      else io.out(isDone ? formatDone(dir, recovery) : formatPlan(dir, recovery));
      if (!isDone) setExitCode(EXIT_USAGE);
    });
}

function formatPlan(dir: string, recovery: FolderRecovery): string {
  const { nodeId, clusterId } = recovery.identity;
  return [
    `Nothing was changed. This would make node ${nodeId} in ${dir} go on alone:`,
    "",
    clusterId === recovery.clusterId
      ? `  The cluster keeps its id, ${clusterId}: old nodes that come back would speak to this one. Delete their folders first.`
      : `  The cluster gets a new id with the name of ${clusterId}: old nodes that come back are refused.`,
    ...recovery.groups.flatMap((group) => lines(group).map((line) => `  ${line}`)),
    "",
    "What may be LOST: everything that the lost nodes acknowledged and that this node never received. It is not known how much that is;",
    "callers were told that it is done. Runs go back to their last step that is in this log, and do the steps after it again.",
    "What may COME INTO FORCE: entries at the end of this log that were never acknowledged.",
    "",
    "Do this only if a majority of the voters is gone for good: if their folders can be had, start them instead.",
    "Do it on ONE node only, the one with the highest (last term, last index) of all that are left; `raftoral storage inspect` shows it.",
    "Two nodes recovered are two clusters, which do everything twice. Back the folder up before: `raftoral storage backup`.",
    "",
    "To do it, give --accept-data-loss as well.",
    "",
  ].join("\n");
}

function formatDone(dir: string, recovery: FolderRecovery): string {
  const { nodeId } = recovery.identity;
  return [
    `Node ${nodeId} in ${dir} is the only member of cluster ${recovery.clusterId} now:`,
    "",
    ...recovery.groups.flatMap((group) => lines(group).map((line) => `  ${line}`)),
    "",
    "Start it with `raftoral start --data DIR --listen ADDR`. On every other machine of the old cluster: stop the node if it runs, move",
    "its folder away, and let it join with an empty one: `raftoral join ADDR --data NEW`.",
    "",
  ].join("\n");
}

function lines(recovery: GroupRecovery): readonly string[] {
  const { group } = recovery;
  if (recovery.kind === "empty") return [`Group ${group}: was never begun here; it stays as it is.`];
  if (recovery.kind === "alone") {
    return [
      `Group ${group}: this node is its only member already; it stays as it is, up to (term ${recovery.lastTerm}, index ${recovery.lastIndex}).`,
    ];
  }
  const { before, after, removed, committed, lastIndex, lastTerm, term } = recovery;
  const removes = removed.length === 0 ? "no member is removed" : `removed: ${named(removed)}`;
  const unsure =
    lastIndex > committed
      ? `not known to be committed here, and counting as committed: ${entrySpan(committed + 1, lastIndex)}`
      : "every entry of its log was known to be committed";
  return [
    `Group ${group}: voters ${before.voters.join(", ")} -> ${after.voters.join(", ")} (${removes}), in the new term ${term}.`,
    `         Its log ends at (term ${lastTerm}, index ${lastIndex}): ${unsure}.`,
  ];
}

function named(nodes: readonly number[]): string {
  return nodes.length === 1 ? `node ${nodes[0]}` : `nodes ${nodes.join(", ")}`;
}
