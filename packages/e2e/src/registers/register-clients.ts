/**
 * Clients of the registers: one operation at a time each, at any node that runs. They know what clients can know, and write it
 * into the history: done, refused for certain, or unknown.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type Rng, seededRng } from "@raftoral/raft-core";
import { type Call, History, type Operation } from "@raftoral/simulation/linearizability";
import { GapWatch } from "../cluster/gap-watch.ts";
import { eventually, type NodeProcess, RefusedError } from "../harness/index.ts";
import { askRegisters } from "./ask-registers.ts";
import type { RegisterCommand } from "./register-command.ts";

/** Codes after which a command certainly was not applied and never will be (docs/errors.md). */
const WITHOUT_EFFECT = new Set(["NO_LEADER", "OVERLOADED", "PAYLOAD_TOO_LARGE"]);
/** Registers that are used side by side. */
const KEYS = 4;
/** Calls on a register before all clients go on with the next one: short histories are checked fast. */
const CALLS_PER_KEY = 60;
const TIMEOUTS_MS = [300, 800, 2_000];
const ACKNOWLEDGE_MS = 30_000;
const SEEDS = 2 ** 32;

export interface RegisterClientsOptions {
  readonly rng: Rng;
  /** How many (6). */
  readonly clients?: number;
  /** Longest pause of a client between two operations in ms (20). */
  readonly thinkMs?: number;
}

/** Clients at work until `stop`. Their history is checked for linearizability afterwards. */
export class RegisterClients {
  readonly history = new History(() => performance.now());
  /** Operations that took effect, as far as their clients were told. */
  acknowledged = 0;
  readonly gaps = new GapWatch();
  readonly #nodes: () => readonly NodeProcess[];
  readonly #thinkMs: number;
  readonly #clients: readonly Promise<void>[];
  #isOver = false;

  /** `nodes` gives those that run now. */
  constructor(nodes: () => readonly NodeProcess[], { rng, clients = 6, thinkMs = 20 }: RegisterClientsOptions) {
    this.#nodes = nodes;
    this.#thinkMs = thinkMs;
    this.#clients = Array.from({ length: clients }, () => this.#work(seededRng(rng.below(SEEDS))));
  }

  /** Resolves when this many more operations are acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledged + count;
    await eventually(ACKNOWLEDGE_MS, `${count} more operations to be acknowledged`, () => this.acknowledged >= goal);
  }

  /** One command at this node, in the history like any other. Resolves with whether it was acknowledged in time. */
  async probe(node: NodeProcess, timeoutMs: number): Promise<boolean> {
    const call = this.history.begin("probe", { kind: "read" });
    await this.#propose(node, call, timeoutMs);
    return call.returnedAt !== undefined;
  }

  /** Resolves when no operation is under way any more. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  async #work(rng: Rng): Promise<void> {
    while (!this.#isOver) {
      await pause(rng.below(this.#thinkMs + 1));
      const nodes = this.#nodes();
      const node = nodes[rng.below(Math.max(1, nodes.length))];
      if (node !== undefined) await this.#operate(node, rng);
    }
  }

  async #operate(node: NodeProcess, rng: Rng): Promise<void> {
    const { history } = this;
    const number = history.calls.length;
    const key = `${Math.floor(number / (CALLS_PER_KEY * KEYS))}.${rng.below(KEYS)}`;
    const timeoutMs = TIMEOUTS_MS[rng.below(TIMEOUTS_MS.length)] ?? 0;
    const what = rng.below(10);
    if (what < 3) await this.#read(node, history.begin(key, { kind: "read" }), timeoutMs);
    else await this.#propose(node, history.begin(key, draw(number, what, rng)), timeoutMs);
  }

  async #read(node: NodeProcess, call: Call, timeoutMs: number): Promise<void> {
    try {
      const value = await askRegisters.read(node, call.key, timeoutMs);
      this.#done(call, value, false);
    } catch {
      // A read that was not answered changed nothing and says nothing.
      call.refused = true;
    }
  }

  async #propose(node: NodeProcess, call: Call, timeoutMs: number): Promise<void> {
    try {
      const { value, swapped } = await askRegisters.propose(node, commandOf(call), timeoutMs);
      this.#done(call, value, swapped);
    } catch (error) {
      call.refused = error instanceof RefusedError && error.code !== undefined && WITHOUT_EFFECT.has(error.code);
    }
  }

  #done(call: Call, value: number, swapped: boolean): void {
    this.history.end(call, value, swapped);
    this.gaps.acknowledged();
    this.acknowledged += 1;
  }
}

/** `unique` makes each written value like no other, so that a value that is read tells who wrote it. */
function draw(unique: number, what: number, rng: Rng): Operation {
  const value = unique + 1;
  if (what < 6) return { kind: "write", value };
  if (what < 9) return { kind: "cas", expected: Math.max(0, value - 1 - rng.below(12)), value };
  return { kind: "read" };
}

function commandOf({ id, key, operation }: Call): RegisterCommand {
  switch (operation.kind) {
    case "read":
      return { id, kind: "read", key };
    case "write":
      return { id, kind: "write", key, value: operation.value };
    case "cas":
      return { id, kind: "cas", key, expected: operation.expected, value: operation.value };
  }
}
