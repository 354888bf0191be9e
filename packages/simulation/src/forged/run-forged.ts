/**
 * One run with forged messages: a group of bare cores comes to some state by random actions, then everything under way is lost, then messages are
 * forged to its nodes, through the codec, until one of them is taken. What follows from it, and some time afterwards, is watched.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { Message } from "@raftoral/raft-core/core";
import { type Action, action } from "../core/action.ts";
import { CoreGroup } from "../core/core-group.ts";
import type { CoreNode } from "../core/core-node.ts";
import { drawCoreSettings } from "../core/core-settings.ts";
import { findingOf } from "../core/run-core.ts";
import { Schedule } from "../core/schedule.ts";
import { Narrator } from "../core/story.ts";
import { Random } from "../world/random.ts";
import { Aftermath, type Fate } from "./aftermath.ts";
import { Forger } from "./forge.ts";
import { leadToRareState } from "./rare-leads.ts";
import { targetStatesOf } from "./target-states.ts";

/** A message and the node that it comes to. Plain data: it can be sent again in another run. */
export interface Forgery {
  readonly at: NodeId;
  readonly message: Message;
}

export interface ForgedRunOptions {
  readonly seed: number;
  /** These instead of those that the seed chooses. */
  readonly actions?: readonly Action[];
  /** This one instead of those that the seed chooses. */
  readonly forgery?: Forgery;
  /** Receives what happens, a line for each step. */
  readonly tell?: (line: string) => void;
}

export interface ForgedResult {
  readonly seed: number;
  readonly finding: { readonly invariant: string; readonly message: string; readonly stack: string } | undefined;
  readonly actions: readonly Action[];
  /** The last one: the one that was taken, or that led to the finding. */
  readonly forgery: Forgery | undefined;
  /** Forged messages by type and what became of them: `MsgApp taken`. */
  readonly fates: ReadonlyMap<string, number>;
  /** Forged messages by the states of the node that they came to. */
  readonly states: ReadonlyMap<string, number>;
  /** The most messages until rest, in hundredths of what is allowed. */
  readonly highWater: number;
}

/** Messages that are forged until one is taken. */
const MAX_FORGERIES = 8;
/** Ticks that pass afterwards, in shortest election timeouts. */
const TIMEOUTS_AFTERWARDS = 4;

/** Carries out one run with one forged message. A violation is in the result, not thrown. */
export function runForged({ seed, actions, forgery, tell }: ForgedRunOptions): ForgedResult {
  const run = new ForgedRun(seed, tell);
  let finding: ForgedResult["finding"];
  try {
    run.leadUp(actions);
    run.attack(forgery);
  } catch (error) {
    finding = findingOf(error);
  }
  const { done, last, fates, states, highWater } = run;
  return { seed, finding, actions: done, forgery: last, fates, states, highWater };
}

class ForgedRun {
  readonly done: Action[] = [];
  readonly fates = new Map<string, number>();
  readonly states = new Map<string, number>();
  last: Forgery | undefined;
  highWater = 0;
  readonly #random: Random;
  readonly #group: CoreGroup;
  readonly #narrator: Narrator | undefined;
  readonly #tell: ((line: string) => void) | undefined;

  constructor(seed: number, tell: ((line: string) => void) | undefined) {
    this.#random = new Random(seed).fork("forged");
    this.#group = new CoreGroup(drawCoreSettings(this.#random.fork("settings")), this.#random);
    this.#tell = tell;
    this.#narrator = tell === undefined ? undefined : new Narrator(this.#group, tell);
  }

  /** Brings the group to some state. */
  leadUp(actions: readonly Action[] | undefined): void {
    this.#narrator?.begin();
    if (actions !== undefined) {
      for (const one of actions) this.#perform(one);
      return;
    }
    const schedule = new Schedule(this.#group, this.#random.fork("schedule"));
    for (let left = this.#random.fork("length").oneOf(10, 40, 80, 120); left > 0; left--) {
      const next = schedule.next();
      if (next !== undefined && this.#perform(next)) schedule.did(next);
    }
    leadToRareState(this.#group, this.#random.fork("rare"), (one) => this.#perform(one));
  }

  attack(forgery: Forgery | undefined): void {
    const random = this.#random.fork("attack");
    const overheard = this.#fallSilent(random.chance(0.6));
    const nodes = [...this.#group.nodes.values()].filter(({ isUp }) => isUp);
    const aftermath = new Aftermath(this.#group, this.#tell);
    const maxMessages = this.#maxMessages();
    const forger = new Forger(random, [...this.#group.nodes.keys()], overheard);
    for (let left = forgery === undefined ? MAX_FORGERIES : 1; left > 0; left--) {
      const node = forgery === undefined ? random.pick(nodes) : this.#group.nodes.get(forgery.at);
      if (node?.isUp !== true) return;
      const message = forgery?.message ?? forger.forge(node);
      const fate = this.#attackOnce(aftermath, node, message);
      if (fate === "taken") break;
      if (fate === "lost-entries") node.crash(0);
    }
    this.#rest(aftermath, maxMessages);
    const ticks = TIMEOUTS_AFTERWARDS * this.#group.settings.config.electionTicks;
    for (let tick = 1; tick <= ticks; tick++) {
      this.#tell?.(`tick ${tick} of all nodes`);
      aftermath.tick();
      this.#rest(aftermath, maxMessages);
    }
  }

  #attackOnce(aftermath: Aftermath, node: CoreNode, message: Message): Fate {
    this.last = { at: node.id, message };
    for (const state of targetStatesOf(node)) count(this.states, state);
    this.#tell?.(`forged: ${describeForged(message)} comes to n${node.id}`);
    const fate = aftermath.step(node, message);
    count(this.fates, `${message.type} ${fate}`);
    this.#tell?.(`        ${fate}`);
    this.#narrator?.look();
    return fate;
  }

  #rest(aftermath: Aftermath, maxMessages: number): void {
    const messages = aftermath.rest(maxMessages);
    this.#narrator?.look();
    this.highWater = Math.max(this.highWater, Math.ceil((100 * messages) / maxMessages));
  }

  /** All that is under way is lost without a notice. With `isSettled` no node has anything left to do then. Returns what was lost. */
  #fallSilent(isSettled: boolean): readonly Message[] {
    const { network, nodes } = this.#group;
    const lost: Message[] = [];
    for (;;) {
      for (const key of [...network.busy]) {
        const [from, to] = [Math.floor(key / 64), key % 64];
        for (let one = network.take(from, to, 0); one !== undefined; one = network.take(from, to, 0)) {
          lost.push(one.message);
        }
      }
      const busy = [...nodes.values()].filter((node) => isSettled && node.isUp && node.isBusy);
      if (busy.length === 0) return lost;
      for (const { id } of busy) this.#group.perform(action("settle", id));
    }
  }

  /** What an exchange that gets somewhere may need at most: an election among all, and every entry of the longest log to everybody. */
  #maxMessages(): number {
    const nodes = [...this.#group.nodes.values()];
    const longest = Math.max(...nodes.map(({ raft: { log } }) => log.lastIndex() - log.firstIndex() + 1));
    return nodes.length * (30 + 4 * longest);
  }

  #perform(one: Action): boolean {
    this.done.push(one);
    this.#narrator?.about(one);
    if (!this.#group.perform(one)) {
      this.done.pop();
      return false;
    }
    this.#narrator?.did(one);
    return true;
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** A message with those of its fields that say anything. */
export function describeForged(message: Message): string {
  const said = Object.entries(message).filter(([name, value]) => {
    if (name === "type" || name === "vote" || name === "responses") return false;
    return !(value === undefined || value === 0 || value === false || (Array.isArray(value) && value.length === 0));
  });
  return `${message.type} ${said.map(([name, value]) => `${name} ${show(value)}`).join(", ")}`;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (one instanceof Uint8Array ? `0x${hex(one)}` : one));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
