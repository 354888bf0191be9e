/**
 * What must hold of the registers once the cluster is whole again.
 *
 * Invariants:
 * G1. All nodes hold the same.
 * G2. A command that was acknowledged was applied once; one whose outcome is unknown, at most once; one that was refused, never.
 * G3. The history of each register is linearizable.
 */
import { type Call, checkRegister, type History } from "@raftoral/simulation/linearizability";
import type { Register } from "./register-command.ts";

export interface RegisterVerdict {
  readonly registers: number;
  /** Registers whose check was given up: neither passed nor failed. */
  readonly unfinished: readonly string[];
  readonly acknowledged: number;
  readonly refused: number;
  /** Commands whose outcome their clients were not told, and how many of them were applied. */
  readonly unknown: number;
  readonly unknownApplied: number;
}

/** A search that takes longer is given up. Histories of 60 calls take a few hundred steps, unless many outcomes are unknown. */
const MAX_STEPS = 2_000_000;

/** Throws an Error that tells the first thing that does not hold. `copies` are by node. */
export function verifyRegisters(history: History, copies: ReadonlyMap<number, readonly Register[]>): RegisterVerdict {
  const applied = sameCopies(copies);
  const refused = history.calls.filter((call) => call.refused);
  const seen = appliedIds(applied);
  for (const call of history.calls) {
    const isThere = seen.has(call.id);
    if (call.refused && isThere) throw new Error(`#${call.id} was refused, and was applied all the same`);
    if (call.returnedAt !== undefined && !isThere && call.operation.kind !== "read") {
      throw new Error(`#${call.id} ${call.operation.kind} of ${call.key} was acknowledged, and is not there`);
    }
    seen.delete(call.id);
  }
  const [unasked] = seen;
  if (unasked !== undefined) throw new Error(`#${unasked} was applied, and no client asked for it`);
  const open = history.calls.filter((call) => call.returnedAt === undefined && !call.refused);
  const ids = appliedIds(applied);
  return {
    registers: applied.length,
    unfinished: unfinished(history),
    acknowledged: history.calls.filter((call) => call.returnedAt !== undefined).length,
    refused: refused.length,
    unknown: open.length,
    unknownApplied: open.filter(({ id }) => ids.has(id)).length,
  };
}

/** Registers whose check was given up. Throws for one that is not linearizable. */
function unfinished(history: History): readonly string[] {
  const keys: string[] = [];
  for (const [key, calls] of history.byKey()) {
    const verdict = checkRegister(calls, MAX_STEPS);
    if (verdict === "unknown") keys.push(key);
    if (verdict === "not-linearizable") {
      throw new Error(`the history of register ${key} is not linearizable:\n${calls.map(line).join("\n")}`);
    }
  }
  return keys;
}

function sameCopies(copies: ReadonlyMap<number, readonly Register[]>): readonly Register[] {
  const [first, ...others] = copies;
  if (first === undefined) throw new Error("no node has a copy of the registers");
  const [firstId, registers] = first;
  for (const [nodeId, other] of others) {
    const differing = registers.find((register, at) => JSON.stringify(register) !== JSON.stringify(other[at]));
    if (differing === undefined && registers.length === other.length) continue;
    const key = differing?.key ?? other[registers.length]?.key;
    const shown = [registers, other].map((copy) => JSON.stringify(copy.find((register) => register.key === key)));
    throw new Error(`register ${key} differs:\nnode ${firstId}: ${shown[0]}\nnode ${nodeId}: ${shown[1]}`);
  }
  return registers;
}

function appliedIds(registers: readonly Register[]): Set<number> {
  const seen = new Set<number>();
  for (const { key, ids } of registers) {
    for (const id of ids) {
      if (seen.has(id)) throw new Error(`#${id} was applied twice; register ${key}: ${ids.join(" ")}`);
      seen.add(id);
    }
  }
  return seen;
}

function line({ id, operation, calledAt, returnedAt, value, swapped }: Call): string {
  const { kind } = operation;
  const asked =
    kind === "read" ? "" : kind === "write" ? operation.value : `${operation.expected} -> ${operation.value}`;
  const outcome = returnedAt === undefined ? "unknown" : kind === "cas" ? `${swapped} (${value})` : value;
  return `#${id} [${calledAt}, ${returnedAt ?? "?"}) ${kind} ${asked}: ${outcome}`;
}
