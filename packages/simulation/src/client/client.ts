/**
 * A client of the cluster: one operation at a time, at any node that answers. It knows of its operations what a client can
 * know, and writes that into the history: done, refused for certain, or unknown.
 */
import { RaftError } from "@raftoral/raft-core";
import type { KvCommand } from "../machine/kv-command.ts";
import type { SimNode } from "../node/sim-node.ts";
import type { Random } from "../world/random.ts";
import type { World } from "../world/world.ts";
import type { Call, Operation } from "./history.ts";

/** Codes after which an operation certainly took no effect. */
const WITHOUT_EFFECT = new Set(["NO_LEADER", "OVERLOADED", "PAYLOAD_TOO_LARGE"]);
/** Operations on a key before all clients go on with the next one: short histories are checked fast. */
const CALLS_PER_KEY = 60;

/** One client. It goes on with its next operation until the world closes. */
export class Client {
  readonly #world: World;
  readonly #random: Random;
  /** Where it asked last. */
  #home: SimNode | undefined;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  start(): void {
    this.#think();
  }

  #think(): void {
    const { settings } = this.#world;
    this.#world.after(this.#random.between(0, settings.thinkMs), "client", 0, undefined, () => {
      if (!this.#world.isOpen) return;
      const node = this.#choose();
      if (node === undefined) this.#think();
      else this.#operate(node);
    });
  }

  #choose(): SimNode | undefined {
    const { nodes, settings } = this.#world;
    if (settings.staysAtNode && this.#home?.isRunning === true) return this.#home;
    this.#home = this.#random.pick([...nodes.values()].filter((one) => one.isRunning));
    return this.#home;
  }

  #operate(node: SimNode): void {
    const { history, settings } = this.#world;
    const generation = Math.floor(history.calls.length / (CALLS_PER_KEY * settings.keys));
    const key = `k${generation}.${this.#random.below(settings.keys)}`;
    const timeoutMs = this.#random.oneOf(300, 1_000, 4_000);
    if (this.#random.chance(settings.readShare)) {
      const call = history.begin(key, { kind: "read" }, settings.staleMs);
      read(node, call, this.#world, timeoutMs, () => this.#think());
      return;
    }
    const call = history.begin(key, this.#drawOperation(history.calls.length));
    propose(node, call, this.#world, { timeoutMs, pad: this.#random.oneOf(0, 0, 20, 300) }, () => this.#think());
  }

  #drawOperation(unique: number): Operation {
    const what = this.#random.below(10);
    if (what < 5) return { kind: "write", value: unique };
    if (what < 8) return { kind: "cas", expected: Math.max(0, unique - this.#random.whole(1, 12)), value: unique };
    return { kind: "read" };
  }
}

/** A read by ReadIndex from the node's own state. Calls `done` once, when the call is over or its node has died. */
export function read(node: SimNode, call: Call, world: World, timeoutMs: number, done: () => void): void {
  const { cluster, machine, life } = node;
  if (cluster === undefined || machine === undefined || life === undefined) {
    call.refused = true;
    done();
    return;
  }
  const finish = once(done);
  life.onEnd(() => {
    call.refused ||= call.returnedAt === undefined;
    finish();
  });
  world.trace.tell("call", node.id, call.id, () => `#${call.id} read ${call.key}`);
  const ask = (): void => {
    cluster.readIndex({ timeoutMs }).then(
      () => {
        if (!life.isAlive) return;
        world.history.end(call, machine.get(call.key), false);
        world.trace.tell("return", node.id, call.value, () => `#${call.id} read ${call.key} = ${call.value}`);
        finish();
      },
      (error: unknown) => {
        if (!life.isAlive) return;
        // A read that was not answered changed nothing and says nothing.
        call.refused = true;
        world.trace.tell("return", node.id, call.id, () => `#${call.id} ${String(error)}`);
        finish();
      },
    );
  };
  // A node that stands still hears of it when it goes on.
  life.deliver("call", ask);
}

/** An operation through the log. */
export function propose(
  node: SimNode,
  call: Call,
  world: World,
  options: { readonly timeoutMs: number; readonly pad: number },
  done: () => void,
): void {
  const { cluster, life } = node;
  if (cluster === undefined || life === undefined) {
    call.refused = true;
    done();
    return;
  }
  const finish = once(done);
  life.onEnd(finish);
  const command = commandOf(call, options.pad);
  world.trace.tell("call", node.id, call.id, () => `#${call.id} ${command.kind} ${call.key}`);
  const ask = (): void => {
    cluster.propose(command, { timeoutMs: options.timeoutMs }).then(
      ({ value, swapped }) => {
        if (!life.isAlive) return;
        world.history.end(call, value, swapped);
        world.trace.tell(
          "return",
          node.id,
          value,
          () => `#${call.id} ${command.kind} ${call.key} = ${value} ${swapped}`,
        );
        finish();
      },
      (error: unknown) => {
        if (!life.isAlive) return;
        call.refused = error instanceof RaftError && WITHOUT_EFFECT.has(error.code);
        world.trace.tell("return", node.id, call.id, () => `#${call.id} ${String(error)}`);
        finish();
      },
    );
  };
  life.deliver("call", ask);
}

function commandOf({ id, key, operation }: Call, pad: number): KvCommand {
  switch (operation.kind) {
    case "read":
      return { id, kind: "get", key, pad };
    case "write":
      return { id, kind: "put", key, value: operation.value, pad };
    case "cas":
      return { id, kind: "cas", key, expected: operation.expected, value: operation.value, pad };
  }
}

function once(fn: () => void): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    fn();
  };
}
