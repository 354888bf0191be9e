/** The model: what a run of a plan must have returned, worked out from its record without the runtime. */
import { decodeValue, type HistoryRecord } from "@raftoral/workflow";
import type { Operation, Plan } from "./plan.ts";

export type Record = ReadonlyMap<string, HistoryRecord>;

/** What is summed up over a run. */
interface Tally {
  counts: number;
  /** Signals that waits have returned. */
  readonly signals: unknown[];
}

/**
 * What a run of `plan` must return when `record` is its history, and `given` is what it returned: which wait got which signal is not said by the paths alone, for a signal
 * goes to the oldest wait. Throws for a signal that no record has, or that two waits have returned.
 */
export function expectedResult(plan: Plan, record: Record, given: unknown): unknown {
  const tally: Tally = { counts: 0, signals: [] };
  const values = expectedValues(plan, record, "", tally, (given as { readonly values?: unknown }).values);
  const recorded = [...record.values()]
    .filter(({ kind }) => kind === "signal")
    .map(({ value }) => decodeValue(value, "go"));
  for (const signal of tally.signals) {
    const at = recorded.indexOf(signal);
    if (at === -1) throw new Error(`a wait returned ${String(signal)}, which is not recorded, or not for it alone`);
    recorded.splice(at, 1);
  }
  return { values, counter: tally.counts };
}

function expectedValues(plan: Plan, record: Record, prefix: string, tally: Tally, given: unknown): unknown[] {
  const list = Array.isArray(given) ? (given as readonly unknown[]) : [];
  return plan.map((operation, at) => expectedValue(operation, record, prefix, tally, list[at]));
}

function expectedValue(operation: Operation, record: Record, prefix: string, tally: Tally, given: unknown): unknown {
  const { name } = operation;
  switch (operation.kind) {
    case "step":
      return value(record, `${prefix}${name}#0`);
    case "flaky": {
      const checkpoint = found(record, `${prefix}${name}#0`);
      const recorded = decodeValue(checkpoint.value, name);
      if (checkpoint.kind === "step") return recorded;
      const { message, attempts } = recorded as { message: string; attempts: number };
      return { failed: message, attempts };
    }
    case "draw": {
      const recorded = value(record, `${prefix}${name}#0`);
      return { drawn: recorded, recorded };
    }
    case "sleep":
      found(record, `${prefix}${name}#0`);
      return "slept";
    case "now":
      return value(record, `${prefix}${name}/now#0`);
    case "wait": {
      const path = `${prefix}${name}/go#0`;
      if (given !== "timed out") {
        tally.signals.push(given);
        return given;
      }
      const isOver = [...record].some(
        ([key, { kind }]) => kind === "signal-timeout" && (key === path || key.startsWith(`${path}/again`)),
      );
      return isOver ? given : "not timed out";
    }
    case "variable":
      for (let set = 0; set < operation.sets; set++) {
        const recorded = value(record, `${prefix}${name}#0/set${set}`);
        if (recorded !== set + 1) throw new Error(`${prefix}${name} was set to ${recorded} at ${set}`);
      }
      return operation.sets;
    case "count":
      tally.counts += 1;
      return "counted";
    case "race": {
      const ways = ["step", "sleep"].filter((way) => record.has(`${prefix}${name}-after-${way}#0`));
      if (ways.length !== 1) throw new Error(`${prefix}${name} went ${ways.length} ways: ${ways}`);
      return ways[0];
    }
    case "parallel":
      return operation.branches.map((branch, number) =>
        expectedValues(
          branch,
          record,
          `${prefix}${name}${number === 0 ? "" : `#${number}`}/`,
          tally,
          Array.isArray(given) ? given[number] : undefined,
        ),
      );
  }
}

function value(record: Record, key: string): unknown {
  return decodeValue(found(record, key).value, key);
}

function found(record: Record, key: string): HistoryRecord {
  const checkpoint = record.get(key);
  if (checkpoint === undefined) throw new Error(`nothing is recorded at ${key}`);
  return checkpoint;
}
