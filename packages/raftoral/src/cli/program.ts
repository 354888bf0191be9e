/**
 * The command line `raftoral`: grammar, help and exit codes. What the commands do is in `commands/`.
 *
 * Exit codes: 0 done, 1 it failed (the message says why), 2 the command line is wrong.
 */
import { RaftoralError } from "@raftoral/raft-core";
import { Command, CommanderError } from "commander";
import { VERSION } from "../version.ts";
import { addAnswer } from "./commands/answer.ts";
import { addBackup } from "./commands/backup.ts";
import { addCancel } from "./commands/cancel.ts";
import { addCheck } from "./commands/check.ts";
import { addCount } from "./commands/count.ts";
import { addDelete } from "./commands/delete.ts";
import { addEvents } from "./commands/events.ts";
import { addList } from "./commands/list.ts";
import { addLocks } from "./commands/locks.ts";
import { addLeave, addTransfer } from "./commands/members.ts";
import { addComplete, addFork, addPause, addRetry, addSkip, addTerminate } from "./commands/mending.ts";
import { addObject } from "./commands/object.ts";
import { addAudit } from "./commands/operators/audit.ts";
import { addBulk } from "./commands/operators/bulk.ts";
import { addErased } from "./commands/operators/erased.ts";
import { addSet } from "./commands/operators/set.ts";
import { addTail } from "./commands/operators/tail.ts";
import { addTypes } from "./commands/operators/types.ts";
import { addQuery } from "./commands/query.ts";
import { addQueues } from "./commands/queues.ts";
import { addResume } from "./commands/resume.ts";
import { addRun } from "./commands/run.ts";
import { addSchedules } from "./commands/schedules/schedules.ts";
import { addShow } from "./commands/show.ts";
import { addSignal } from "./commands/signal.ts";
import { addJoin, addStart, type ServeNode } from "./commands/start.ts";
import { addStatus } from "./commands/status.ts";
import { addStorage } from "./commands/storage/storage.ts";
import { addStream } from "./commands/stream.ts";
import { addUpdate } from "./commands/update.ts";
import { addVariables } from "./commands/variables.ts";
import type { CliIo } from "./io.ts";
import { printableIo } from "./printable-io.ts";
import { continued, formatError } from "./report-error.ts";

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

const EXAMPLES = `
Examples:
  $ raftoral start --listen 127.0.0.1:5001 --data data/1 --bootstrap --workflows workflows.ts
  $ raftoral join 127.0.0.1:5001 --listen 127.0.0.1:5002 --data data/2 --workflows workflows.ts
  $ raftoral run process_order --input '{"id":"A17"}' --id A17 --wait
  $ raftoral status

Every command has its own help: raftoral run --help`;

/** Runs one command line (without node and script); resolves with the exit code and never rejects. */
export async function runCli(args: readonly string[], io: CliIo, serve: ServeNode): Promise<number> {
  let exitCode = EXIT_OK;
  const safe = printableIo(io);
  const program = buildProgram(safe, serve, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: "user" });
    return exitCode;
  } catch (error) {
    // Commander has printed help, version or its complaint by now.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    safe.err(formatError(error, { isJson: args.includes("--json"), isVerbose: args.includes("--verbose") }));
    return isUsageError(error) ? EXIT_USAGE : EXIT_FAILED;
  }
}

function buildProgram(io: CliIo, serve: ServeNode, setExitCode: (code: number) => void): Command {
  const program = new Command("raftoral")
    .description("Durable, replicated workflows with no database and no orchestrator.")
    .version(VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text),
      writeErr: (text) => io.err(text),
      outputError: (text, write) => write(`${continued(text.trimEnd())}\n`),
    })
    .showHelpAfterError("(add --help for how to use it)")
    .helpCommand("help [command]", "show help")
    .addHelpText("after", EXAMPLES);
  addStart(program, io, serve, setExitCode);
  addJoin(program, io, serve, setExitCode);
  addRun(program, io);
  addList(program, io);
  addCount(program, io);
  addShow(program, io);
  addSchedules(program, io);
  addSignal(program, io);
  addStream(program, io);
  addTail(program, io);
  addEvents(program, io);
  addQuery(program, io);
  addUpdate(program, io);
  addObject(program, io);
  addAnswer(program, io);
  addVariables(program, io);
  addSet(program, io);
  addCancel(program, io);
  addPause(program, io);
  addResume(program, io);
  addRetry(program, io);
  addFork(program, io);
  addComplete(program, io);
  addSkip(program, io);
  addTerminate(program, io);
  addDelete(program, io);
  addQueues(program, io);
  addLocks(program, io);
  addErased(program, io);
  addBulk(program, io);
  addTypes(program, io);
  addAudit(program, io);
  addStatus(program, io);
  addLeave(program, io);
  addTransfer(program, io);
  addBackup(program, io);
  addStorage(program, io, setExitCode);
  addCheck(program, io, setExitCode);
  return program;
}

const USAGE_CODES = new Set([
  "OPTIONS_INVALID",
  "JSON_INVALID",
  "TRANSPORT_PLAINTEXT_REFUSED",
  "TRANSPORT_TLS_INVALID",
]);

/** Mistakes on the command line that the grammar cannot see: it was fine, what it named was not. */
function isUsageError(error: unknown): boolean {
  return error instanceof RaftoralError && USAGE_CODES.has(error.code);
}
