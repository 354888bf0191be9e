/** `raftoral lock`: looks at locks and limiters, takes locks from holders, and changes limits. */
import { type Command, InvalidArgumentError } from "commander";
import { NodeError } from "../../api/errors.ts";
import type { GivenLockLimits, LockAsk, LockInfo, LockLimits, LockRate } from "../../api/locks/locks.ts";
import {
  addClientOptions,
  addConsistency,
  type ClientFlags,
  printJson,
  type ReadFlags,
  withClient,
} from "../client-command.ts";
import { formatDuration, formatTime, parseDuration } from "../durations.ts";
import type { CliIo } from "../io.ts";
import { formatFields, formatTable } from "../table.ts";
import { visible } from "../visible.ts";

interface LimitFlags extends ClientFlags {
  readonly permits?: number;
  readonly rate?: LockRate;
  readonly burst?: number;
  readonly forget?: boolean;
  readonly reason?: string;
}

interface ReleaseFlags extends ClientFlags {
  readonly token?: number;
  readonly reason?: string;
}

interface ListFlags extends ClientFlags, ReadFlags {
  readonly after?: string;
  readonly limit?: number;
}

const EXAMPLES = `
Examples:
  $ raftoral lock ls account/
  $ raftoral lock show account/17
  $ raftoral lock release account/17 --token 4711 --reason "its node is gone for good"
  $ raftoral lock limit gpu --permits 8
  $ raftoral lock limit api --rate 100/1m --burst 10
  $ raftoral lock limit gpu --forget`;

/** Adds `raftoral lock` with its commands. */
export function addLocks(program: Command, io: CliIo): void {
  const locks = program
    .command("lock")
    .summary("look at locks and limiters, and change them")
    .description("Look at locks and limiters, take locks from their holders, and change limits.")
    .usage("<command>")
    .addHelpText("after", EXAMPLES);
  addList(locks, io);
  addShowLock(locks, io);
  addRelease(locks, io);
  addLimit(locks, io);
}

function addList(locks: Command, io: CliIo): void {
  const command = locks
    .command("ls")
    .alias("list")
    .description("List locks by name: who holds them, how many wait, and for how long the first has.")
    .argument("[prefix]", "only locks whose names begin so")
    .option("--after <name>", "only locks whose names come after this one")
    .option("--limit <n>", "how many at most (100)", parseNumber);
  addConsistency(addClientOptions(command, io)).action(async (prefix: string | undefined, flags: ListFlags) => {
    const options = flags.stale === true ? ({ consistency: "stale" } as const) : {};
    const filter = {
      ...(prefix === undefined ? {} : { prefix }),
      ...(flags.after === undefined ? {} : { after: flags.after }),
      ...(flags.limit === undefined ? {} : { limit: flags.limit }),
    };
    const found = await withClient(flags, io, ({ workflows }) => workflows.locks.list(filter, options));
    if (flags.json === true) printJson(io, found);
    else io.out(formatLocks(found, Date.now()));
  });
}

function addShowLock(locks: Command, io: CliIo): void {
  const command = locks
    .command("show")
    .description("Show a lock: its limits, its holders with their tokens, and who waits.")
    .argument("<name>", "the lock's name");
  addConsistency(addClientOptions(command, io)).action(async (name: string, flags: ClientFlags & ReadFlags) => {
    const options = flags.stale === true ? ({ consistency: "stale" } as const) : {};
    const lock = await withClient(flags, io, ({ workflows }) => workflows.locks.get(name, options));
    if (lock === undefined) {
      throw new NodeError(
        "REQUEST_INVALID",
        `There is no lock ${name}: no one uses or has defined it. raftoral lock ls lists those that there are.`,
      );
    }
    if (flags.json === true) printJson(io, lock);
    else io.out(formatLock(lock, Date.now()));
  });
}

function addRelease(locks: Command, io: CliIo): void {
  const command = locks
    .command("release")
    .description(
      "Take a lock from its holder, who is not asked: whatever it still does carries a lower token than the next holder's. It is audited.",
    )
    .argument("<name>", "the lock's name")
    .option("--token <n>", "the holder's token; the only holder's by default", parseNumber)
    .option("--reason <text>", "why");
  addClientOptions(command, io).action(async (name: string, flags: ReleaseFlags) => {
    const options = flags.reason === undefined ? {} : { reason: flags.reason };
    const token = await withClient(flags, io, async ({ workflows }) => {
      const chosen = flags.token ?? onlyHolder(name, await workflows.locks.get(name));
      await workflows.locks.forceRelease(name, chosen, options);
      return chosen;
    });
    if (flags.json === true) printJson(io, { lock: name, released: token });
    else io.out(`Lock ${visible(name)} is taken from the holder of token ${token}.\n`);
  });
}

function addLimit(locks: Command, io: CliIo): void {
  const command = locks
    .command("limit")
    .description(
      "Give a lock permits, or a limiter a rate, above what code says; --forget lets code decide again. Nothing is taken from holders.",
    )
    .argument("<name>", "the name of the lock or limiter")
    .option("--permits <n>", "how many may hold the lock at once", parseNumber)
    .option("--rate <n/time>", "permits in any such time on average, e.g. 100/1m", parseRate)
    .option("--burst <n>", "permits that may be taken at once after a pause (those of the rate)", parseNumber)
    .option("--forget", "forget what was defined")
    .option("--reason <text>", "why");
  addClientOptions(command, io).action(async (name: string, flags: LimitFlags) => {
    const options = flags.reason === undefined ? {} : { reason: flags.reason };
    if (flags.forget === true) {
      await withClient(flags, io, ({ workflows }) => workflows.locks.delete(name, options));
      if (flags.json === true) printJson(io, { lock: name, forgotten: true });
      else io.out(`Lock ${visible(name)} has the limits that code gives.\n`);
      return;
    }
    const limits = limitsOf(flags);
    await withClient(flags, io, ({ workflows }) => workflows.locks.define(name, limits, options));
    if (flags.json === true) printJson(io, { lock: name, limits });
    else io.out(`Lock ${visible(name)} has the limits: ${limitsText(limits)}.\n`);
  });
}

/** The table of `raftoral lock ls`. `nowMs` gives those that wait their time. */
export function formatLocks(locks: readonly LockInfo[], nowMs: number): string {
  if (locks.length === 0) return "No locks.\n";
  return formatTable(
    [
      { title: "LOCK" },
      { title: "LIMITS" },
      { title: "HELD", align: "right" },
      { title: "WAITING", align: "right" },
      { title: "OLDEST", align: "right" },
      { title: "HOLDERS" },
    ],
    locks.map((lock) => [
      lock.name,
      limitsText(lock.limits),
      String(lock.held),
      String(lock.waiting),
      lock.oldestAtMs === undefined ? "" : formatDuration(nowMs - lock.oldestAtMs),
      lock.holders.map(holderText).join(", "),
    ]),
  );
}

function formatLock(lock: LockInfo, nowMs: number): string {
  const { name, limits, isDefined, held, waiting, available, taken, holders, waiters } = lock;
  const fields = formatFields([
    ["Lock", name],
    ["Limits", `${limitsText(limits)}, ${isDefined ? "as an operator has defined" : "as code gives them"}`],
    ["Held", `${held}, ${available} free`],
    ["Waiting", String(waiting)],
    ...("rate" in limits ? [["Granted", String(taken)] as const] : []),
  ]);
  const parts = [fields];
  if (holders.length > 0) parts.push(asksTable("HOLDER", holders, nowMs));
  if (waiters.length > 0) parts.push(asksTable("WAITS", waiters, nowMs));
  return parts.join("\n");
}

function asksTable(title: string, asks: readonly LockAsk[], nowMs: number): string {
  return formatTable(
    [
      { title },
      { title: "TOKEN", align: "right" },
      { title: "SINCE (UTC)" },
      { title: "FOR", align: "right" },
      { title: "LEASE" },
    ],
    asks.map((ask) => {
      const sinceMs = ask.grantedAtMs ?? ask.askedAtMs;
      const lease = ask.leaseMs === undefined ? "the run's" : formatDuration(ask.leaseMs);
      return [
        holderText(ask),
        ask.token === undefined ? "-" : String(ask.token),
        formatTime(sinceMs),
        formatDuration(Math.max(0, nowMs - sinceMs)),
        lease,
      ];
    }),
  );
}

/** Who asks, in words. */
export function holderText({ runId, path, value, requestId }: LockAsk): string {
  if (runId !== undefined) return `run ${runId} at ${path ?? ""}`;
  return value === "" ? `request ${requestId ?? ""}` : value;
}

function limitsText(limits: LockLimits | GivenLockLimits): string {
  if ("permits" in limits) return limits.permits === 1 ? "1 permit" : `${limits.permits} permits`;
  const { limit, periodMs, burst = limit } = limits.rate;
  return `${limit} in ${formatDuration(periodMs)}, ${burst} at once`;
}

function limitsOf({ permits, rate, burst }: LimitFlags): GivenLockLimits {
  if (permits !== undefined && rate === undefined && burst === undefined) return { permits };
  if (rate !== undefined && permits === undefined) return { rate: burst === undefined ? rate : { ...rate, burst } };
  throw new NodeError(
    "OPTIONS_INVALID",
    "Limits are either --permits, or --rate and perhaps --burst. Give one of them.",
  );
}

function onlyHolder(name: string, lock: LockInfo | undefined): number {
  const [only, ...more] = lock?.holders ?? [];
  if (only?.token !== undefined && more.length === 0) return only.token;
  throw new NodeError(
    "OPTIONS_INVALID",
    `Lock ${name} has ${lock?.held ?? 0} holders. Name one by its token: raftoral lock show ${name} lists them.`,
  );
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new InvalidArgumentError("Write a whole number above 0.");
}

function parseRate(text: string): LockRate {
  const [limit = "", period = "", ...more] = text.split("/");
  if (more.length > 0 || period === "")
    throw new InvalidArgumentError("Write a number and a time, for example 100/1m.");
  return { limit: parseNumber(limit), periodMs: parseDuration(period) };
}
