import { checkIndex, type IndexCheck, rebuildIndex } from "@raftoral/workflow";
import type { Command } from "commander";
import { GROUP_ID } from "../../../node/open-group.ts";
import { printJson } from "../../client-command.ts";
import { type StorageCommandHost, storageTools } from "./storage-tools.ts";

interface ListsFlags {
  readonly rebuild?: boolean;
  readonly json?: boolean;
}

/** `raftoral storage lists DIR`: compares what lists and counts are made of with the runs, and makes it again. Exit code 1 when it differs. */
export function addLists(storage: Command, { io, setExitCode }: StorageCommandHost): void {
  storage
    .command("lists")
    .summary("check what lists and counts of runs are made of, and make it again")
    .description(
      "Compare the index of lists and the counts in the data folder of a node that does not run with its runs. Nothing but a\n" +
        "fault of Raftoral makes them differ. Exit code 0: they agree, or were made again; 1: they differ.",
    )
    .argument("<dir>", "the data folder")
    .option("--rebuild", "make index and counts again from the runs")
    .option("--json", "print JSON for programs")
    .option("--verbose", "print the stack of an error")
    .addHelpText("after", "\nExamples:\n  $ raftoral storage lists data/1\n  $ raftoral storage lists data/1 --rebuild")
    .action(async (dir: string, flags: ListsFlags) => {
      const { inspectFolder, LmdbEnvironment } = await storageTools();
      // A folder that is none is told of before one is made.
      await inspectFolder(dir);
      const environment = await LmdbEnvironment.open({ path: dir });
      try {
        const store = environment.state(GROUP_ID);
        const check = checkIndex(store);
        const isRebuilt = flags.rebuild === true;
        if (isRebuilt) {
          for (const _ of rebuildIndex(store)) {
            store.commit(store.appliedIndex);
            await store.drained;
          }
          store.commit(store.appliedIndex);
          await store.persist();
        }
        if (flags.json === true) printJson(io, { ...check, isRebuilt });
        else io.out(formatCheck(check, isRebuilt));
        if (!isRebuilt && !agrees(check)) setExitCode(1);
      } finally {
        await environment.close();
      }
    });
}

function agrees({ missing, surplus, miscounted }: IndexCheck): boolean {
  return missing === 0 && surplus === 0 && miscounted.length === 0;
}

function formatCheck(check: IndexCheck, isRebuilt: boolean): string {
  const { runs, missing, surplus, miscounted } = check;
  const found = agrees(check)
    ? `Lists and counts agree with the ${runs} runs.`
    : `Lists and counts differ from the ${runs} runs: ${missing} entries are missing, ${surplus} are too many, ${miscounted.length} counts are wrong.`;
  if (isRebuilt) return `${found} They were made again.\n`;
  return agrees(check) ? `${found}\n` : `${found} Make them again with --rebuild.\n`;
}
