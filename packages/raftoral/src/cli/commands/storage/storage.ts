import type { Command } from "commander";
import type { CliIo } from "../../io.ts";
import { addBackup } from "./backup.ts";
import { addInspect } from "./inspect.ts";
import { addLists } from "./lists.ts";
import { addRecover } from "./recover.ts";
import { addRestore } from "./restore.ts";
import { addVerify } from "./verify.ts";

/** `raftoral storage`: looks at, keeps and mends data folders of nodes that do not run. */
export function addStorage(program: Command, io: CliIo, setExitCode: (code: number) => void): void {
  const storage = program
    .command("storage")
    .summary("look at, back up, restore and recover data folders")
    .description("Look at, back up, restore and recover the data folders of nodes that do not run.")
    .usage("[command]")
    .addHelpText(
      "after",
      "\nExamples:\n  $ raftoral storage inspect data/1\n  $ raftoral storage verify data/1\n  $ raftoral storage backup data/1 backups/monday\n" +
        "  $ raftoral storage restore backups/monday data/new\n  $ raftoral storage recover data/1",
    );
  const host = { io, setExitCode };
  addInspect(storage, host);
  addVerify(storage, host);
  addLists(storage, host);
  addBackup(storage, host);
  addRestore(storage, host);
  addRecover(storage, host);
}
