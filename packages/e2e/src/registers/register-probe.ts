/** What tests ask of the registers while something is broken. */
import type { TestCluster } from "../cluster/test-cluster.ts";
import { eventually } from "../harness/index.ts";
import { askRegisters } from "./ask-registers.ts";
import type { RegisterClients } from "./register-clients.ts";

const WAIT_MS = 20_000;
const TRY_MS = 1_000;

/** Asks the registers of a {@link TestCluster} through some of its nodes. */
export class RegisterProbe {
  readonly #cluster: TestCluster;
  readonly #clients: RegisterClients;

  /** What it proposes is in the history of `clients`. */
  constructor(cluster: TestCluster, clients: RegisterClients) {
    this.#cluster = cluster;
    this.#clients = clients;
  }

  /** Whether a command at this node is acknowledged in time. */
  acknowledges(nodeId: number, timeoutMs = TRY_MS): Promise<boolean> {
    return this.#clients.probe(this.#cluster.process(nodeId), timeoutMs);
  }

  /** Resolves once each of these nodes has had a command acknowledged. */
  async takePart(...nodeIds: readonly number[]): Promise<void> {
    for (const nodeId of nodeIds) {
      await eventually(WAIT_MS, `node ${nodeId} to have a command acknowledged`, () => this.acknowledges(nodeId));
    }
  }

  /** Who leads the registers' group, once one says so of itself. */
  leader(): Promise<number> {
    return eventually(WAIT_MS, "a leader of the registers", async () => {
      const answers = await Promise.allSettled(this.#cluster.running.map((node) => askRegisters.status(node)));
      const leading = answers.flatMap((answer) =>
        answer.status === "fulfilled" && answer.value.role === "StateLeader" ? [answer.value] : [],
      );
      return leading.sort((a, b) => b.term - a.term)[0]?.leader;
    });
  }

  /** All nodes but these. */
  others(...nodeIds: readonly number[]): readonly number[] {
    return this.#cluster.nodeIds.filter((nodeId) => !nodeIds.includes(nodeId));
  }
}
