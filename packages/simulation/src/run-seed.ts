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
  /** Faults, by number, that are left out. */
  readonly without?: ReadonlySet<number>;
  /** Receives the lines of the trace. */
  readonly write?: (line: string) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly violation: Violation | undefined;
  readonly hash: string;
  readonly events: number;
  readonly virtualMs: number;
  readonly checks: number;
  readonly faults: ReadonlyMap<string, number>;
  /** Numbers of the faults that were injected, with what they were. */
  readonly injected: readonly InjectedFault[];
  readonly calls: number;
  readonly registers: Readonly<Record<Verdict, number>>;
  /** "no-quorum": so many disks were lost that progress could not be asked for. */
  readonly healed: "progress" | "no-quorum" | "violation";
}

export interface InjectedFault {
  readonly number: number;
  readonly atMs: number;
  readonly text: string;
}

/** Steps of the search after which a register's history is unknown. */
const MAX_SEARCH_STEPS = 200_000;

export async function runSeed({ seed, steps, without, write }: RunOptions): Promise<RunResult> {
  const world = new World(seed, new Trace(write));
  const nemesis = new Nemesis(world, without ?? new Set());
  const registers: Record<Verdict, number> = { linearizable: 0, "not-linearizable": 0, unknown: 0 };
  const onRejection = (error: unknown): void => {
    world.fail(new Violation("unhandled-rejection", String(error), { cause: error }));
  };
  process.on("unhandledRejection", onRejection);
  let healed: RunResult["healed"] = "violation";
  try {
    world.begin();
    nemesis.start();
    while (world.events < steps && (await world.step()));
    if (world.violation === undefined) healed = await requireProgress(world, nemesis);
    if (world.violation === undefined) checkHistory(world, registers);
  } finally {
    process.off("unhandledRejection", onRejection);
  }
  return {
    seed,
    violation: world.violation,
    hash: world.trace.hash,
    events: world.events,
    virtualMs: world.now,
    checks: world.monitor.checks,
    faults: world.faults.byKind,
    injected: nemesis.injected,
    calls: world.history.calls.length,
    registers,
    healed: world.violation === undefined ? healed : "violation",
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
