import type { Damage, VerifyReport } from "@raftoral/storage-lmdb";
import { blobNamedByKey } from "@raftoral/workflow";
import type { Command } from "commander";
import { printJson } from "../../client-command.ts";
import { progressTo } from "./progress.ts";
import { blobsText, formatBytes } from "./sizes.ts";
import { type StorageCommandHost, storageTools } from "./storage-tools.ts";

/** `raftoral storage verify DIR`: looks at every record. Exit code 1 when anything is damaged. */
export function addVerify(storage: Command, { io, setExitCode }: StorageCommandHost): void {
  storage
    .command("verify")
    .summary("look at every record of a data folder or a backup")
    .description(
      "Look at every record of the data folder of a node that does not run, or of a backup, and list everything that is\n" +
        "damaged. Changes nothing. Exit code 0: intact; 1: damaged.",
    )
    .argument("<dir>", "the data folder, or a backup")
    .option("--json", "print JSON for programs")
    .option("--verbose", "print the stack of an error")
    .addHelpText("after", "\nExamples:\n  $ raftoral storage verify data/1\n  $ raftoral storage verify backups/monday")
    .action(async (dir: string, flags: { readonly json?: boolean }) => {
      const { verifyFolder } = await storageTools();
      const report = await verifyFolder(dir, { progress: progressTo(io), blobOf: blobNamedByKey });
      if (flags.json === true) printJson(io, report);
      else io.out(formatReport(report));
      if (!report.isIntact) setExitCode(1);
    });
}

function formatReport(report: VerifyReport): string {
  const { damages, damageCount, notes } = report;
  const large = report.blobs.blobs === 0 ? "" : `, and ${blobsText(report.blobs)}`;
  const looked = `${report.records} records of ${report.groups} ${report.groups === 1 ? "group" : "groups"}, ${formatBytes(report.bytes)}${large}`;
  const lines = notes.map((note) => `Note: ${note}.`);
  if (report.isIntact) return `${[...lines, `Intact: ${report.path} (${looked}).`].join("\n")}\n`;
  lines.push(...damages.map(lineOf));
  if (damageCount > damages.length) lines.push(`... and ${damageCount - damages.length} more.`);
  const count = damageCount === 1 ? "1 damage" : `${damageCount} damages`;
  lines.push(`Damaged: ${report.path} has ${count} (${looked}). ${damages[0]?.advice ?? ""}`);
  return `${lines.join("\n")}\n`;
}

function lineOf({ file, group, record, found, key }: Damage): string {
  const of = group === undefined ? "" : ` group ${group},`;
  const named = key === undefined ? "" : ` (key ${key})`;
  return `${file}:${of} ${record}${named}: ${found}`;
}
