/** One run: a seed, from the first event to the verdict. */
import { checkRegister, type Verdict } from "./linearizability/checker.ts";
import { Nemesis } from "./nemesis/nemesis.ts";
import { requireProgress } from "./nemesis/progress.ts";
import { Trace } from "./world/trace.ts";
import { Violation } from "./world/violation.ts";
import { World } from "./world/world.ts";

export interface RunOptions {
  readonly seed: number;
  /** Events before the cluster is healed. */
  readonly steps: number;
  /** Numbers of the faults to inject; all unless given. */
  readonly only?: readonly number[];
  /** Names of invariants that are not held: what else would a bug that one of them sees lead to? */
  readonly ignore?: readonly string[];
  /** Receives the lines of the trace. */
  readonly write?: (line: string) => void;
}

/** What is wrong, as plain data. */
export interface Finding {
  /** Name of the invariant. */
  readonly invariant: string;
  readonly message: string;
  readonly stack: string;
}

export interface InjectedFault {
  readonly number: number;
  readonly atMs: number;
  readonly text: string;
}

/** Structured-cloneable: it may come from another thread. */
export interface RunResult {
  readonly seed: number;
  readonly finding: Finding | undefined;
  /** The same for every run of the same seed, steps and faults. */
  readonly hash: string;
  /** Up to the finding, or to the end. */
  readonly events: number;
  readonly virtualMs: number;
  readonly checks: number;
  readonly faults: ReadonlyMap<string, number>;
  /** How often the run came through each state of coverage/rare-states.ts. */
  readonly rare: ReadonlyMap<string, number>;
  readonly injected: readonly InjectedFault[];
  readonly calls: number;
  /** Histories of single registers, by verdict. */
  readonly registers: Readonly<Record<Verdict, number>>;
  /** "no-quorum": so many disks were lost that progress could not be asked for. */
  readonly ending: "progress" | "no-quorum" | "finding";
}

/** Steps of the search after which a register's history is unknown. */
const MAX_SEARCH_STEPS = 1_000_000;

/** One run at a time in a thread: rejections without a handler are taken for this run's. */
export async function runSeed({ seed, steps, only, ignore, write }: RunOptions): Promise<RunResult> {
  const world = new World(seed, new Trace(write), ignore);
  const nemesis = new Nemesis(world, only === undefined ? undefined : new Set(only));
  const registers: Record<Verdict, number> = { linearizable: 0, "not-linearizable": 0, unknown: 0 };
  const onRejection = (error: unknown): void => {
    world.fail(new Violation("unhandled-rejection", String(error), { cause: error }));
  };
  process.on("unhandledRejection", onRejection);
  let ending: RunResult["ending"] = "progress";
  try {
    world.begin();
    nemesis.start();
    while (world.events < steps && (await world.step()));
    if (world.violation === undefined) ending = await requireProgress(world, nemesis);
    if (world.violation === undefined) checkHistory(world, registers);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
  const { violation } = world;
  return {
    seed,
    finding: violation === undefined ? undefined : findingOf(violation),
    hash: world.trace.hash,
    events: world.events,
    virtualMs: world.now,
    checks: world.monitor.invariants.checks,
    faults: world.faults.byKind,
    rare: world.monitor.invariants.rare.counts,
    injected: nemesis.injected,
    calls: world.history.calls.length,
    registers,
    ending: violation === undefined ? ending : "finding",
  };
}

function checkHistory(world: World, registers: Record<Verdict, number>): void {
  for (const [key, calls] of world.history.byKey()) {
    const verdict = checkRegister(calls, MAX_SEARCH_STEPS);
    registers[verdict]++;
    if (verdict === "not-linearizable") {
      world.fail(new Violation("linearizability", `the ${calls.length} calls to ${key} have no linear order`));
    }
  }
}

function findingOf(violation: Violation): Finding {
  let stack = "";
  for (let at: unknown = violation; at instanceof Error; at = at.cause) stack += `${at.stack ?? String(at)}\n`;
  return { invariant: violation.invariant, message: violation.message, stack };
}
