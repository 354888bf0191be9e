/** Conditions on runs as options of a command. */
import { type Command, InvalidArgumentError } from "commander";
import type { AttributeFilter, RunFilter, TimeFilter } from "../api/finding/filters.ts";
import { RUN_STATUSES, type RunStatus } from "../api/runs.ts";
import { dateIn, parseCondition } from "./attribute-argument.ts";

/** The flags of every command that is about the runs which fit conditions. */
export interface FilterFlags {
  readonly status?: readonly RunStatus[];
  readonly type?: string;
  readonly owner?: number;
  readonly where?: Readonly<Record<string, AttributeFilter>>;
  readonly createdFrom?: Date;
  readonly createdBefore?: Date;
  readonly endedFrom?: Date;
  readonly endedBefore?: Date;
  readonly parent?: string;
  readonly prefix?: string;
  readonly queue?: string;
}

const STATUSES = `${RUN_STATUSES.slice(0, -1).join(", ")} or ${RUN_STATUSES.at(-1)}`;

/** Adds the options that {@link filterOf} reads. */
export function addFilterOptions(command: Command): Command {
  return command
    .option("--status <status,...>", `only those: ${STATUSES}; several with commas`, parseStatuses)
    .option("--type <type>", "only those of a workflow type")
    .option(
      "--owner <node>",
      "only those that a node executes; 0 for those that have not ended and no node does",
      parseOwner,
    )
    .option(
      "--where <condition>",
      "only those with an attribute: name=value, name=one,other, name>=value, name (repeatable)",
      parseCondition,
    )
    .option(
      "--created-from <time>",
      "only those created then or later, e.g. 2026-01-31 or 2026-01-31T10:00:00Z",
      dateIn,
    )
    .option("--created-before <time>", "only those created before", dateIn)
    .option("--ended-from <time>", "only those that ended then or later", dateIn)
    .option("--ended-before <time>", "only those that ended before", dateIn)
    .option("--parent <id>", "only those that this run started as its children")
    .option("--queue <name>", "only those that were started in this queue")
    .option("--prefix <text>", "only those whose ids begin with it");
}

/** The filter that flags say. */
export function filterOf(flags: FilterFlags): RunFilter {
  const { status, type, owner, where, parent, prefix, queue } = flags;
  const created = timesOf(flags.createdFrom, flags.createdBefore);
  const ended = timesOf(flags.endedFrom, flags.endedBefore);
  return {
    ...(status === undefined ? {} : { status }),
    ...(type === undefined ? {} : { workflowType: type }),
    ...(owner === undefined ? {} : { owner }),
    ...(where === undefined ? {} : { attributes: where }),
    ...(created === undefined ? {} : { created }),
    ...(ended === undefined ? {} : { ended }),
    ...(parent === undefined ? {} : { parent }),
    ...(queue === undefined ? {} : { queue }),
    ...(prefix === undefined ? {} : { runIdPrefix: prefix }),
  };
}

function timesOf(from: Date | undefined, before: Date | undefined): TimeFilter | undefined {
  if (from === undefined && before === undefined) return undefined;
  return { ...(from === undefined ? {} : { from }), ...(before === undefined ? {} : { before }) };
}

function parseStatuses(text: string): readonly RunStatus[] {
  return text.split(",").map((each) => {
    const status = RUN_STATUSES.find((known) => known === each.trim().toLowerCase());
    if (status !== undefined) return status;
    throw new InvalidArgumentError(`Write ${STATUSES}, or several of them with commas.`);
  });
}

function parseOwner(text: string): number {
  const owner = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(owner)) return owner;
  throw new InvalidArgumentError("A node's id is a whole number; 0 stands for none.");
}
