/** A node whose group writes down what arrives: for tests of who may send to whom. */
import { type AnyExecutor, type ClusterDefaults, type Logger, type NodeId, RaftoralError } from "@raftoral/raft-core";
import { numbered, RecordingReceiver } from "@raftoral/raft-core/testing";
import type { GroupChannel } from "@raftoral/raft-core/transport";
import { GrpcClusterTransport } from "../grpc-cluster-transport.ts";
import type { GrpcTransportOptions } from "../options.ts";
import type { GrpcServer } from "../server/grpc-server.ts";
import { startGrpcServer } from "../server/start-grpc-server.ts";

/** One line that a node logged. */
export interface LogLine {
  readonly level: keyof Logger;
  readonly text: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A started node with a transport and a server of its own. `receiver` has what its group got, `log` what it logged. */
export class RecordingNode {
  readonly nodeId: NodeId;
  readonly transport: GrpcClusterTransport<AnyExecutor>;
  readonly server: GrpcServer;
  readonly receiver = new RecordingReceiver();
  readonly channel: GroupChannel;
  readonly log: readonly LogLine[];

  static async start(
    nodeId: NodeId,
    options: ClusterDefaults<AnyExecutor> & GrpcTransportOptions = {},
    listen = "127.0.0.1:0",
  ): Promise<RecordingNode> {
    const log: LogLine[] = [];
    const record = (level: keyof Logger) => (fields: object, text: string) =>
      void log.push({ level, text, fields: { ...fields } });
    const logger = { debug: record("debug"), info: record("info"), warn: record("warn"), error: record("error") };
    const transport = new GrpcClusterTransport<AnyExecutor>([], {
      minBackoffMs: 5,
      maxBackoffMs: 20,
      refusedBackoffMs: 5,
      logger,
      ...options,
    });
    const server = await startGrpcServer(listen, transport, nodeId);
    await transport.start();
    return new RecordingNode(nodeId, transport, server, log);
  }

  private constructor(
    nodeId: NodeId,
    transport: GrpcClusterTransport<AnyExecutor>,
    server: GrpcServer,
    log: readonly LogLine[],
  ) {
    this.nodeId = nodeId;
    this.transport = transport;
    this.server = server;
    this.log = log;
    this.channel = transport.peer(nodeId).open(1, this.receiver);
  }

  get address(): string {
    return this.server.address;
  }

  /** Makes `peer` known, or at another address. */
  knows(peer: RecordingNode, address = peer.address): void {
    this.transport.addNode({ nodeId: peer.nodeId, address });
  }

  /** Sends until this node hears that the peer cannot be reached. */
  async sendUntilUnreachable(peer: NodeId): Promise<void> {
    const heard = this.receiver.unreachables.length;
    const sending = setInterval(() => this.channel.send([numbered(this.nodeId, peer, 1)]), 1);
    try {
      await this.receiver.until(
        () => this.receiver.unreachables.length > heard,
        "a report that the peer is unreachable",
      );
    } finally {
      clearInterval(sending);
    }
  }

  /** Texts of what was logged at a level, with the messages of the errors that came with it. */
  texts(level: keyof Logger): readonly string[] {
    return this.log
      .filter((line) => line.level === level)
      .map(({ text, fields }) => (fields.err instanceof RaftoralError ? `${text}: ${fields.err.message}` : text));
  }

  async stop(): Promise<void> {
    await this.server.close({ graceMs: 0 });
    await this.transport.shutdown();
  }
}
