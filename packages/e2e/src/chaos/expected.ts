/** The model: what a run of a plan must have returned, worked out from its record without the runtime. */
import { decodeValue, type HistoryRecord } from "@raftoral/workflow";
import type { Operation, Plan } from "./plan.ts";

export type Record = ReadonlyMap<string, HistoryRecord>;

/** What a run of `plan` must return when `record` is its history. */
export function expectedResult(plan: Plan, record: Record): unknown {
  const counts = { all: 0 };
  const values = expectedValues(plan, record, "", counts);
  return { values, counter: counts.all };
}

function expectedValues(plan: Plan, record: Record, prefix: string, counts: { all: number }): unknown[] {
  return plan.map((operation) => expectedValue(operation, record, prefix, counts));
}

function expectedValue(operation: Operation, record: Record, prefix: string, counts: { all: number }): unknown {
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
      const checkpoint = found(record, `${prefix}${name}/go#0`);
      return checkpoint.kind === "signal" ? decodeValue(checkpoint.value, name) : "timed out";
    }
    case "variable":
      for (let set = 0; set < operation.sets; set++) {
        const recorded = value(record, `${prefix}${name}#0/set${set}`);
        if (recorded !== set + 1) throw new Error(`${prefix}${name} was set to ${recorded} at ${set}`);
      }
      return operation.sets;
    case "count":
      counts.all += 1;
      return "counted";
    case "race": {
      const ways = ["step", "sleep"].filter((way) => record.has(`${prefix}${name}-after-${way}#0`));
      if (ways.length !== 1) throw new Error(`${prefix}${name} went ${ways.length} ways: ${ways}`);
      return ways[0];
    }
    case "parallel":
      return operation.branches.map((branch, number) =>
        expectedValues(branch, record, `${prefix}${name}${number === 0 ? "" : `#${number}`}/`, counts),
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
