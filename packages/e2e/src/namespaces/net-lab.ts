/**
 * Machines of one's own, as far as networks go: a network namespace for each node, all on one bridge of this machine. What is
 * lost here is lost as packets are: no end of a connection is told, and TCP does what it does.
 *
 * Linux, root and iproute2 are needed; {@link labProblem} says what is missing.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";

const NAMESPACES = "/run/netns";
/** Where the names of namespaces begin; the id of the process that made them follows. */
const PREFIX = "raftoral-";
/** A hardware address that no interface has: what is sent there arrives nowhere. */
const NOWHERE = "02:00:00:00:00:01";

/** Why there can be no lab on this machine; undefined if there can. */
export function labProblem(): string | undefined {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "only root may make network namespaces";
  try {
    new NetLab(1).remove();
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here: ${error instanceof Error ? error.message.trim() : error}`;
  }
}

/** Namespaces and a bridge for `size` nodes. `remove` takes them away; so does the end of this process. */
export class NetLab {
  readonly #size: number;
  readonly #subnet = `10.213.${process.pid % 250}`;
  readonly #bridge = `rft${process.pid}`;
  readonly #removeOnExit = (): void => this.remove();

  /** One namespace for each of the nodes 1 to `size`. Throws when the machine does not have what it takes; nothing is left then. */
  constructor(size: number) {
    this.#size = size;
    removeLeftovers();
    process.on("exit", this.#removeOnExit);
    try {
      ip("link", "add", this.#bridge, "type", "bridge");
      ip("addr", "add", `${this.#subnet}.254/24`, "dev", this.#bridge);
      ip("link", "set", this.#bridge, "up");
      for (let nodeId = 1; nodeId <= size; nodeId += 1) this.#addNode(nodeId);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  /** The node's address, for others and for this process. */
  host(nodeId: number): string {
    return `${this.#subnet}.${nodeId}`;
  }

  /** What runs a program in the node's namespace, followed by the program. */
  within(nodeId: number): readonly string[] {
    return ["ip", "netns", "exec", this.#namespace(nodeId)];
  }

  /** The cable is pulled: nothing arrives from the node or at it. */
  pull(nodeId: number): void {
    ip("link", "set", this.#port(nodeId), "down");
  }

  plug(nodeId: number): void {
    ip("link", "set", this.#port(nodeId), "up");
  }

  /** Nothing that `from` sends to `to` arrives; the other way stays open. */
  lose(from: number, to: number): void {
    this.#neighbour(from, "replace", this.host(to), "lladdr", NOWHERE, "dev", "eth0", "nud", "permanent");
  }

  /** Takes {@link lose} back. */
  find(from: number, to: number): void {
    this.#neighbour(from, "del", this.host(to), "dev", "eth0");
  }

  /** Idempotent. */
  remove(): void {
    process.off("exit", this.#removeOnExit);
    for (let nodeId = 1; nodeId <= this.#size; nodeId += 1) quietly("netns", "del", this.#namespace(nodeId));
    quietly("link", "del", this.#bridge);
  }

  #addNode(nodeId: number): void {
    const [namespace, port] = [this.#namespace(nodeId), this.#port(nodeId)];
    ip("netns", "add", namespace);
    ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ip("link", "set", port, "master", this.#bridge, "up");
    ip("-n", namespace, "addr", "add", `${this.host(nodeId)}/24`, "dev", "eth0");
    ip("-n", namespace, "link", "set", "eth0", "up");
    ip("-n", namespace, "link", "set", "lo", "up");
  }

  #neighbour(nodeId: number, ...args: readonly string[]): void {
    ip("-n", this.#namespace(nodeId), "neigh", ...args);
  }

  #namespace(nodeId: number): string {
    return `${PREFIX}${process.pid}-${nodeId}`;
  }

  /** The bridge's end of the node's cable. Names of interfaces have 15 letters at most. */
  #port(nodeId: number): string {
    return `${this.#bridge}v${nodeId}`;
  }
}

/** Of test processes that were killed before they could clean up. */
function removeLeftovers(): void {
  let names: readonly string[];
  try {
    names = readdirSync(NAMESPACES);
  } catch {
    // There is none yet.
    return;
  }
  for (const name of names) {
    const pid = Number(/^raftoral-(\d+)-\d+$/.exec(name)?.[1]);
    if (Number.isNaN(pid) || isAlive(pid)) continue;
    quietly("netns", "del", name);
    quietly("link", "del", `rft${pid}`);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** For what may not be there. */
function quietly(...args: readonly string[]): void {
  try {
    ip(...args);
  } catch {
    // It is gone already.
  }
}
