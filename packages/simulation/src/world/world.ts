/**
 * A whole cluster in one thread: nodes, network, disks, clients and the nemesis, on virtual time. One seed decides all of it.
 *
 * An event runs, then everything that it set off in the microtask queue, to the end; then the invariants are checked for the
 * node it belongs to; then virtual time moves on to the next event. Nothing here or below reads a real clock.
 */
import type { Bootstrap, NodeId } from "@raftoral/raft-core";
import { Client } from "../client/client.ts";
import { History } from "../client/history.ts";
import { Monitor } from "../invariants/monitor.ts";
import { Network } from "../network/network.ts";
import type { Life } from "../node/life.ts";
import type { ObservedNode } from "../node/observed-node.ts";
import { SimNode } from "../node/sim-node.ts";
import { type Event, EventQueue } from "./event-queue.ts";
import { FaultCounts } from "./fault-counts.ts";
import { Random } from "./random.ts";
import { drawSettings, type Settings } from "./settings.ts";
import type { Trace } from "./trace.ts";
import type { Violation } from "./violation.ts";

/** Looks at every process after each of its events, until it is taken away. */
export type Trap = (node: SimNode, observed: ObservedNode) => void;

/** One simulated cluster, for one run. */
export class World {
  readonly seed: number;
  readonly random: Random;
  readonly settings: Settings;
  readonly trace: Trace;
  readonly faults = new FaultCounts();
  readonly history = new History(() => this.now);
  readonly network: Network;
  readonly monitor: Monitor;
  readonly nodes = new Map<NodeId, SimNode>();
  readonly traps = new Set<Trap>();
  /** Virtual time in milliseconds. */
  now = 0;
  /** Events so far. */
  events = 0;
  /** Changes of the membership that somebody waits for. */
  changesUnderWay = 0;
  /** Clients may begin operations. */
  isOpen = true;
  #violation: Violation | undefined;
  readonly #ignored: ReadonlySet<string>;
  readonly #queue = new EventQueue();

  /** `ignore`: names of invariants whose violations are none. */
  constructor(seed: number, trace: Trace, ignore: readonly string[] = []) {
    this.seed = seed;
    this.#ignored = new Set(ignore);
    this.trace = trace;
    this.random = new Random(seed);
    this.settings = drawSettings(this.random.fork("settings"));
    this.network = new Network(this, this.random.fork("network"), this.settings);
    this.monitor = new Monitor(this);
  }

  /** The first thing that went wrong. */
  get violation(): Violation | undefined {
    return this.#violation;
  }

  /** Reports that something went wrong; the run ends with this event. Only the first one counts. */
  fail(violation: Violation): void {
    if (!this.#ignored.has(violation.invariant)) this.#violation ??= violation;
  }

  /** Starts the first nodes and the clients. */
  begin(): void {
    const ids = Array.from({ length: this.settings.nodes }, (_, at) => at + 1);
    const members = ids.map((nodeId) => ({ nodeId, address: `n${nodeId}:1` }));
    for (const id of ids) this.addNode(id, { kind: "members", members }).start();
    for (let at = 0; at < this.settings.clients; at++) new Client(this, this.random.fork(`client ${at}`)).start();
  }

  addNode(id: NodeId, bootstrap: Bootstrap): SimNode {
    const node = new SimNode(this, id, bootstrap);
    this.nodes.set(id, node);
    return node;
  }

  /** Has `run` happen after `delayMs`, in `life` if it is given. */
  after(delayMs: number, kind: string, node: NodeId, life: Life | undefined, run: () => void): Event {
    return this.#queue.push(this.now + Math.max(0, delayMs), kind, node, life, run);
  }

  /** Lets the next event happen. False when there is none, or something went wrong. */
  async step(): Promise<boolean> {
    const event = this.#queue.pop();
    if (event === undefined || this.#violation !== undefined) return false;
    const { life } = event;
    this.now = event.at;
    this.trace.now = event.at;
    if (life !== undefined && !life.isAlive) return true;
    this.events++;
    this.trace.count(event.kind, event.node, event.at * 1_000);
    if (life === undefined) event.run();
    else life.deliver(event.kind, event.run);
    // Everything that waits in the microtask queue runs before the next turn of the real event loop.
    await new Promise<void>(nextTurn);
    if (event.node === 0) {
      for (const node of this.nodes.values()) this.#check(node);
    } else {
      this.#check(this.nodes.get(event.node));
    }
    return this.#violation === undefined;
  }

  #check(node: SimNode | undefined): void {
    if (node?.observed === undefined || node.life?.isAlive !== true) return;
    this.monitor.afterEvent(node.observed);
    for (const trap of this.traps) trap(node, node.observed);
  }
}

function nextTurn(resume: () => void): void {
  setImmediate(resume);
}
