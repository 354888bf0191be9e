/** A Raft group of registers on one node, beside its workflows: the same data folder, a port and a transport of its own. */
import type { Clock, Logger, NodeAddress, RaftCluster } from "@raftoral/raft-core";
import type { LmdbEnvironment } from "@raftoral/storage-lmdb";
import { GrpcClusterTransport, startGrpcServer } from "@raftoral/transport-grpc";
import type { RegisterAnswers, RegisterCommand, RegisterQuestion, RegisterResult } from "./register-command.ts";
import { RegisterMachine } from "./register-machine.ts";

export interface RegisterSettings {
  readonly nodeId: number;
  /** Where the groups of all nodes listen, this one's included. */
  readonly members: readonly NodeAddress[];
}

/** The workflows' is 1. */
const GROUP_ID = 2;
/** Snapshots after few entries, so that nodes that were away for a while are sent one. */
const LIMITS = { snapshotEveryEntries: 1_000, keepEntries: 200 };

/** The group of registers of one node, started and stopped with it. */
export class RegisterGroup {
  readonly #transport: GrpcClusterTransport<RegisterMachine>;
  readonly #cluster: RaftCluster<RegisterCommand, RegisterResult>;
  readonly #machine: RegisterMachine;

  static async start(
    { nodeId, members }: RegisterSettings,
    storage: LmdbEnvironment,
    clock: Clock,
    logger: Logger,
  ): Promise<RegisterGroup> {
    const machine = new RegisterMachine();
    const transport = new GrpcClusterTransport<RegisterMachine>(members, {
      clusterId: "registers",
      incarnation: storage.incarnation,
      // Some of the tests' networks are no loopback, and are this machine's own all the same.
      tls: false,
      clock,
      logger,
    });
    const { address = "" } = members.find((member) => member.nodeId === nodeId) ?? {};
    await startGrpcServer(address, transport, nodeId);
    await transport.start();
    const group = await storage.group(GROUP_ID);
    const cluster = await transport.createCluster(nodeId, {
      groupId: GROUP_ID,
      storage: () => group,
      executor: () => machine,
      bootstrap: { kind: "members", members },
      limits: LIMITS,
      clock,
      logger,
    });
    return new RegisterGroup(transport, cluster, machine);
  }

  private constructor(
    transport: GrpcClusterTransport<RegisterMachine>,
    cluster: RaftCluster<RegisterCommand, RegisterResult>,
    machine: RegisterMachine,
  ) {
    this.#transport = transport;
    this.#cluster = cluster;
    this.#machine = machine;
  }

  /** Rejects with what the group says. */
  async answer(question: RegisterQuestion): Promise<RegisterAnswers[keyof RegisterAnswers]> {
    switch (question.what) {
      case "propose":
        return await this.#cluster.propose(question.command, { timeoutMs: question.timeoutMs });
      case "read":
        await this.#cluster.readIndex({ timeoutMs: question.timeoutMs });
        return this.#machine.get(question.key);
      case "status": {
        const { role, leader, term, commit, applied } = this.#cluster.status();
        return { role, leader, term, commit, applied };
      }
      case "copy":
        return this.#machine.registers();
    }
  }

  async stop(): Promise<void> {
    await this.#transport.shutdown();
  }
}
