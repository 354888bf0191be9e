/**
 * Who makes things go wrong: one fault after another, each decided by the seed and its number alone, so that a run without
 * some of them is a run with the others.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { InjectedFault } from "../run-seed.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";
import { DISK_FAULTS } from "./disk-faults.ts";
import type { Fault, FaultContext } from "./fault.ts";
import { NETWORK_FAULTS } from "./network-faults.ts";
import { OPERATIONS } from "./operations.ts";
import { PROCESS_FAULTS } from "./process-faults.ts";
import { TRAP_FAULTS } from "./traps.ts";

const ALL: readonly Fault[] = [...NETWORK_FAULTS, ...PROCESS_FAULTS, ...DISK_FAULTS, ...OPERATIONS, ...TRAP_FAULTS];
/** Ids of nodes that a fault adds: apart for each fault, so that they do not depend on the other faults. */
const IDS_PER_FAULT = 8;
const FIRST_ADDED_ID = 8;

/** The nemesis of one {@link World}. */
export class Nemesis {
  /** What was done, by number. */
  readonly injected: InjectedFault[] = [];
  readonly #world: World;
  readonly #random: Random;
  readonly #only: ReadonlySet<number> | undefined;
  readonly #undos = new Map<number, () => void>();
  #next = 0;
  #stopped = false;

  /** Only the faults with these numbers are injected; all if it is undefined. */
  constructor(world: World, only: ReadonlySet<number> | undefined) {
    this.#world = world;
    this.#random = world.random.fork("nemesis");
    this.#only = only;
  }

  start(): void {
    this.#plan();
  }

  /** Takes everything back and does nothing more. */
  stop(): void {
    this.#stopped = true;
    for (const number of [...this.#undos.keys()]) this.#undo(number);
  }

  #plan(): void {
    const number = this.#next++;
    const random = this.#random.fork(number);
    const gapMs = random.between(0, 2 * this.#world.settings.faultGapMs);
    const fault = draw(random);
    const durationMs = random.between(fault.durationMs[0], fault.durationMs[1]);
    this.#world.after(gapMs, "nemesis", 0, undefined, () => {
      if (this.#stopped) return;
      if (this.#only?.has(number) !== false) this.#inject(number, fault, random, durationMs);
      this.#plan();
    });
  }

  #inject(number: number, fault: Fault, random: Random, durationMs: number): void {
    const world = this.#world;
    let used = 0;
    const newNodeId = (): NodeId => FIRST_ADDED_ID + number * IDS_PER_FAULT + used++;
    const context: FaultContext = { world, random, newNodeId };
    const injected = fault.inject(context);
    if (injected === undefined) return;
    world.faults.count(fault.kind);
    const text = `${fault.kind}: ${injected.text}`;
    this.injected.push({ number, atMs: world.now, text });
    world.trace.tell("FAULT", 0, number, () => `${number} ${text}`);
    if (injected.undo === undefined) return;
    this.#undos.set(number, injected.undo);
    world.after(durationMs, "nemesis-undo", 0, undefined, () => this.#undo(number));
  }

  #undo(number: number): void {
    const undo = this.#undos.get(number);
    if (undo === undefined) return;
    this.#undos.delete(number);
    this.#world.trace.tell("OVER", 0, number, () => `${number}`);
    undo();
  }
}

function draw(random: Random): Fault {
  const total = ALL.reduce((sum, { weight }) => sum + weight, 0);
  let at = random.below(total);
  for (const fault of ALL) {
    at -= fault.weight;
    if (at < 0) return fault;
  }
  return ALL[0] as Fault;
}
