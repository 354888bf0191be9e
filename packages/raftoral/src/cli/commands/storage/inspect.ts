import type { FolderReport, GroupReport } from "@raftoral/storage-lmdb";
import type { Command } from "commander";
import { printJson } from "../../client-command.ts";
import { formatFields, formatTable } from "../../table.ts";
import { blobsText, formatBytes } from "./sizes.ts";
import { type StorageCommandHost, storageTools } from "./storage-tools.ts";

/** `raftoral storage inspect DIR`: what is in a folder. */
export function addInspect(storage: Command, { io }: StorageCommandHost): void {
  storage
    .command("inspect")
    .summary("tell what is in a data folder")
    .description("Tell what is in the data folder of a node that does not run, or in a backup. Changes nothing.")
    .argument("<dir>", "the data folder, or a backup")
    .option("--json", "print JSON for programs")
    .option("--verbose", "print the stack of an error")
    .addHelpText(
      "after",
      "\nExamples:\n  $ raftoral storage inspect data/1\n  $ raftoral storage inspect data/1 --json | jq '.groups[0].lastIndex'",
    )
    .action(async (dir: string, flags: { readonly json?: boolean }) => {
      const { inspectFolder } = await storageTools();
      const report = await inspectFolder(dir);
      if (flags.json === true) printJson(io, report);
      else io.out(formatReport(report));
    });
}

function formatReport(report: FolderReport): string {
  const { identity, journal } = report;
  const fields = formatFields([
    ["Folder", `${report.path}${report.isBackup ? ", a backup" : ""}`],
    ["Format", String(report.format)],
    ["Node", identity === undefined ? "none yet" : `${identity.nodeId} of cluster ${identity.clusterId}`],
    ["Opened", `${report.incarnation} times`],
    ["Journal", journal === undefined ? "none" : journalOf(journal)],
    ["Blobs", blobsText(report.blobs)],
    ["On disk", formatBytes(report.usedBytes)],
  ]);
  const files = formatTable(
    [{ title: "FILE" }, { title: "SIZE", align: "right" }],
    report.files.map(({ name, bytes }) => [name, formatBytes(bytes)]),
  );
  return [fields, files, ...report.groups.map(formatGroup)].join("\n");
}

function journalOf({ generation, records, torn }: NonNullable<FolderReport["journal"]>): string {
  const behind = `generation ${generation}, ${records} ${records === 1 ? "record" : "records"} not in LMDB yet`;
  return torn === undefined ? behind : `${behind}, a half-written one at the end that was never acknowledged`;
}

function formatGroup(group: GroupReport): string {
  const { snapshot, state } = group;
  const fields = formatFields([
    ["Group", String(group.group)],
    ["Term", `${group.term}, ${group.vote === 0 ? "no vote in it" : `vote for node ${group.vote}`}`],
    [
      "Log",
      `${group.firstIndex} to ${group.lastIndex}, the last one of term ${group.lastTerm}; known to be committed: ${group.commit}`,
    ],
    ["Compacted", group.compactedIndex === 0 ? "nothing" : `up to ${group.compactedIndex}`],
    [
      "Snapshot",
      snapshot.index === 0
        ? "none"
        : `at ${snapshot.index}, term ${snapshot.term}, ${snapshot.bytes === undefined ? "its file is damaged" : formatBytes(snapshot.bytes)}, voters ${snapshot.confState.voters.join(", ")}`,
    ],
    [
      "State",
      state === undefined
        ? "in snapshots only"
        : `at ${state.appliedIndex}, ${state.records} records, ${formatBytes(state.bytes)}`,
    ],
    ...(group.unreadable === undefined ? [] : [["Damaged", group.unreadable] as const]),
  ]);
  if (group.members.length === 0) return fields;
  const members = formatTable(
    [{ title: "NODE", align: "right" }, { title: "ADDRESS" }, { title: "ROLE" }],
    group.members.map(({ nodeId, address, role }) => [String(nodeId), address, role]),
  );
  return `${fields}\n${members}`;
}
