import { type Command, InvalidArgumentError } from "commander";
import type { AuditEntry } from "../../../api/operations/operations.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  consistencyOf,
  printJson,
  type ReadFlags,
  withClient,
} from "../../client-command.ts";
import { formatTime } from "../../durations.ts";
import type { CliIo } from "../../io.ts";
import { clip, formatTable } from "../../table.ts";

interface AuditFlags extends ClientFlags, ReadFlags {
  readonly subject?: string;
  readonly by?: string;
  readonly limit: number;
}

/** `raftoral audit`: who has done what, when and why. */
export function addAudit(program: Command, io: CliIo): void {
  const command = program
    .command("audit")
    .summary("show what operators have done")
    .description(
      "Show what operators have done, the latest first: to runs, to workflow types and to the cluster. Who is the name in the caller's certificate; `local` is a service that is a node itself, `unnamed` a caller without a certificate.",
    )
    .option("--subject <id>", "only what was done to this run, type or node")
    .option("--by <name>", "only what this caller did")
    .option("--limit <n>", "at most so many entries", parseLimit, 50)
    .addHelpText("after", "\nExamples:\n  $ raftoral audit\n  $ raftoral audit --subject A17 --json");
  addConsistency(addClientOptions(command, io)).action(async (flags: AuditFlags) => {
    const { subject, by, limit } = flags;
    const options = {
      ...(subject === undefined ? {} : { subject }),
      ...(by === undefined ? {} : { by }),
      ...consistencyOf(flags),
    };
    const entries: AuditEntry[] = [];
    await withClient(flags, io, async ({ workflows }) => {
      for await (const entry of workflows.audit(options)) {
        if (entries.length === limit) break;
        entries.push(entry);
      }
    });
    if (flags.json === true) printJson(io, entries);
    else io.out(entries.length === 0 ? "Nothing is recorded.\n" : tableOf(entries));
  });
}

function tableOf(entries: readonly AuditEntry[]): string {
  return formatTable(
    [
      { title: "TIME (UTC)" },
      { title: "BY" },
      { title: "ACTION" },
      { title: "SUBJECT" },
      { title: "DETAIL" },
      { title: "REASON" },
    ],
    entries.map(({ atMs, by, action, subject, detail, reason }) => [
      formatTime(atMs),
      clip(by, 40),
      clip(action, 30),
      clip(subject, 40),
      clip(detail, 50),
      clip(reason, 60),
    ]),
  );
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isSafeInteger(limit) && limit > 0) return limit;
  throw new InvalidArgumentError("A limit is a whole number above 0.");
}
