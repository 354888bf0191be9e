/**
 * One HTTP/2 connection to one node, with the clients of all services on it.
 */
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { NodeSessions, parseAddress, type Security } from "@raftoral/transport-grpc";
import { ClusterService } from "../gen/raftoral/v1/cluster_service_pb.ts";
import { EventService } from "../gen/raftoral/v1/event_service_pb.ts";
import { LockService } from "../gen/raftoral/v1/lock_service_pb.ts";
import { QueueService } from "../gen/raftoral/v1/queue_service_pb.ts";
import { ScheduleService } from "../gen/raftoral/v1/schedule_service_pb.ts";
import { WorkflowService } from "../gen/raftoral/v1/workflow_service_pb.ts";

/** Answers beyond it are refused: room for a thousand records of ordinary size. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
/** A connection that does not answer a ping is closed, so that a call on it fails over within its usual time. */
const PING_INTERVAL_MS = 3_000;
const PING_TIMEOUT_MS = 3_000;
/** Above it Node refuses what the server sends. Its default of 10 MB is less than one answer may have. */
const MAX_SESSION_MEMORY_MB = 128;

/** A connection to one node. It is made at the first call, and again after it was lost. */
export class Connection {
  readonly address: string;
  readonly workflows: Client<typeof WorkflowService>;
  readonly cluster: Client<typeof ClusterService>;
  readonly events: Client<typeof EventService>;
  readonly schedules: Client<typeof ScheduleService>;
  readonly queues: Client<typeof QueueService>;
  readonly locks: Client<typeof LockService>;
  readonly #session: NodeSessions;

  /** Connects at the first call. */
  constructor(address: string, security: Security) {
    this.address = address;
    this.#session = new NodeSessions(parseAddress(address), security, {
      pingIntervalMs: PING_INTERVAL_MS,
      pingTimeoutMs: PING_TIMEOUT_MS,
      maxSessionMemoryMb: MAX_SESSION_MEMORY_MB,
    });
    const transport = createGrpcTransport({
      baseUrl: this.#session.authority,
      sessionManager: this.#session,
      readMaxBytes: MAX_ANSWER_BYTES,
    });
    this.workflows = createClient(WorkflowService, transport);
    this.cluster = createClient(ClusterService, transport);
    this.events = createClient(EventService, transport);
    this.schedules = createClient(ScheduleService, transport);
    this.queues = createClient(QueueService, transport);
    this.locks = createClient(LockService, transport);
  }

  /** Ends every call in progress. Idempotent. */
  close(): void {
    this.#session.abort();
  }
}
