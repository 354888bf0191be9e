import type { Command } from "commander";
import { jsonText } from "../../api/payloads/bytes-as-json.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  consistencyOf,
  printJson,
  type ReadFlags,
  withClient,
} from "../client-command.ts";
import type { CliIo } from "../io.ts";
import { addFile, type FileFlag, readValue } from "../json-argument.ts";
import { formatTable } from "../table.ts";
import { visible } from "../visible.ts";

interface CallFlags extends ClientFlags, FileFlag {
  readonly input?: string;
  readonly id?: string;
}

interface SendFlags extends CallFlags {
  readonly after?: string;
}

const COLUMNS = [
  { title: "KEY" },
  { title: "STATUS" },
  { title: "VERSION", align: "right" },
  { title: "OWNER" },
] as const;

/** `raftoral object`: calls, reads, lists and deletes virtual objects. */
export function addObject(program: Command, io: CliIo): void {
  const object = program
    .command("object")
    .summary("call, read, list and delete virtual objects")
    .description("Call, read, list and delete virtual objects: state under a key, with handlers.")
    .usage("[command]")
    .addHelpText(
      "after",
      "\nExamples:\n  $ raftoral object call account alice deposit --input 10 --id invoice-7\n  $ raftoral object send account alice remind --after 1h\n" +
        "  $ raftoral object state account alice\n  $ raftoral object list account\n  $ raftoral object delete account alice",
    );
  addCall(object, io);
  addSend(object, io);
  addState(object, io);
  addList(object, io);
  addDelete(object, io);
}

function addCall(object: Command, io: CliIo): void {
  const command = calling(object.command("call"))
    .summary("call a handler and print its answer")
    .description(
      "Call a handler of an object, and print what it answers, once it has. An object need not exist before.",
    );
  addClientOptions(command, io).action(async (type: string, key: string, name: string, flags: CallFlags) => {
    const { input, options } = await given(flags, io);
    const answer = await withClient(flags, io, ({ workflows }) =>
      workflows.object(type, key).call(name, input, options),
    );
    if (flags.json === true) printJson(io, answer ?? null);
    else if (answer === undefined) io.out(`Call ${visible(name)} of object ${named(type, key)} was carried out.\n`);
    else io.out(`${shown(answer)}\n`);
  });
}

function addSend(object: Command, io: CliIo): void {
  const command = calling(object.command("send"))
    .summary("send a call without waiting for its answer")
    .description(
      "Send a call to an object: return once it will be executed, or, with --after, once it is kept until its time has come.",
    )
    .option("--after <time>", "how long after now the call begins, e.g. 30s, 1h");
  addClientOptions(command, io).action(async (type: string, key: string, name: string, flags: SendFlags) => {
    const { after } = flags;
    const { input, options } = await given(flags, io);
    const id = await withClient(flags, io, async ({ workflows }) => {
      const handle = workflows.object(type, key);
      if (after === undefined) return (await handle.send(name, input, options)).id;
      // A duration of the API; what is none is refused there.
      await handle.sendLater(name, input, { ...options, after: after as `${number}s` });
      return options.id;
    });
    if (flags.json === true) printJson(io, { type, key, handler: name, ...(id === undefined ? {} : { id }) });
    else
      io.out(
        `Call ${visible(name)} of object ${named(type, key)} was sent${id === undefined ? "" : ` with the id ${visible(id)}`}.\n`,
      );
  });
}

function addState(object: Command, io: CliIo): void {
  const command = keyed(object.command("state"))
    .summary("print the state of an object")
    .description("Print the state of an object as it was last recorded, without running code.");
  addConsistency(addClientOptions(command, io)).action(
    async (type: string, key: string, flags: ClientFlags & ReadFlags) => {
      const read = consistencyOf(flags);
      const state = await withClient(flags, io, ({ workflows }) => workflows.object(type, key).state(read));
      if (flags.json === true) printJson(io, state ?? null);
      else if (state === undefined) io.out(`Object ${named(type, key)} has no state.\n`);
      else io.out(`${shown(state)}\n`);
    },
  );
}

function addList(object: Command, io: CliIo): void {
  const command = object
    .command("list")
    .summary("list the objects of a type")
    .description("List the objects of a type that exist, in no order.")
    .argument("<type>", "the type of the objects");
  addConsistency(addClientOptions(command, io)).action(async (type: string, flags: ClientFlags & ReadFlags) => {
    const found = await withClient(flags, io, ({ workflows }) =>
      Array.fromAsync(workflows.objects(type, { timeoutMs: flags.timeout, ...consistencyOf(flags) })),
    );
    if (flags.json === true) printJson(io, found);
    else if (found.length === 0) io.out(`There are no objects of type ${visible(type)}.\n`);
    else {
      const rows = found.map(({ key, status, version, owner }) => [
        key,
        status,
        String(version),
        owner === 0 ? "-" : String(owner),
      ]);
      io.out(formatTable(COLUMNS, rows));
    }
  });
}

function addDelete(object: Command, io: CliIo): void {
  const command = keyed(object.command("delete"))
    .summary("delete an object")
    .description(
      "Delete an object's state and the calls that wait for their time, once the exclusive calls before have ended.",
    );
  addClientOptions(command, io).action(async (type: string, key: string, flags: ClientFlags) => {
    await withClient(flags, io, ({ workflows }) => workflows.object(type, key).delete({ timeoutMs: flags.timeout }));
    if (flags.json === true) printJson(io, { type, key, deleted: true });
    else io.out(`Object ${named(type, key)} is deleted.\n`);
  });
}

function keyed(command: Command): Command {
  return command.argument("<type>", "the object's type").argument("<key>", "the object's key");
}

function calling(command: Command): Command {
  const called = keyed(command)
    .argument("<handler>", "the handler's name")
    .option("-i, --input <json>", "what the handler is given: JSON, @file, or - for standard input")
    .option("--id <id>", "the call's id: the same one again is executed once, and answered alike");
  return addFile(called, "input");
}

async function given({ input, file, id, timeout }: CallFlags, io: CliIo) {
  return {
    input: await readValue(input, file === undefined ? {} : { file }, "--input", io),
    options: { timeoutMs: timeout, ...(id === undefined ? {} : { id }) },
  };
}

function named(type: string, key: string): string {
  return visible(`${type}/${key}`);
}

function shown(value: unknown): string {
  return typeof value === "string" ? visible(value) : (jsonText(value) ?? "");
}
