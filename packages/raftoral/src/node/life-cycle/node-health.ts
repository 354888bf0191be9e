/**
 * What `grpc.health.v1` says of a node: whether it can do what each service is for.
 *
 * The node as a whole, and what needs a quorum, serve while a leader is known. ClusterService serves while the node runs, for it
 * answers without a quorum too: a prober that restarts what does not serve should ask for that one, or a cluster that has lost
 * its quorum is restarted again and again.
 */
import { NONE } from "@raftoral/raft-core";
import { type HealthBoard, OVERALL } from "@raftoral/transport-grpc";
import { ClusterService } from "../../gen/raftoral/v1/cluster_service_pb.ts";
import { WorkflowService } from "../../gen/raftoral/v1/workflow_service_pb.ts";
import type { WorkflowCluster } from "../membership/membership.ts";

const NEEDS_LEADER = [OVERALL, WorkflowService.typeName, "raftoral.RaftService"];
const NEEDS_NOBODY = [ClusterService.typeName, "raftoral.v1.PeerService"];

/** Keeps the health board of one node in line with its cluster until `stop`. */
export class NodeHealth {
  readonly #board: HealthBoard;
  readonly #cluster: WorkflowCluster;
  readonly #unsubscribe: () => void;
  #isStopping = false;

  constructor(board: HealthBoard, cluster: WorkflowCluster) {
    this.#board = board;
    this.#cluster = cluster;
    this.#unsubscribe = cluster.on((event) => {
      if (event.type === "failed" || event.type === "removed") this.stop();
      else if (event.type === "leader") this.#show();
    });
    this.#show();
  }

  /** The node goes: probes are to send no further callers, while calls are answered still. Idempotent. */
  stop(): void {
    this.#isStopping = true;
    this.#unsubscribe();
    this.#show();
  }

  #show(): void {
    const hasLeader = this.#cluster.leader !== NONE;
    const say = (service: string, isServing: boolean): void =>
      this.#board.set(service, isServing && !this.#isStopping ? "SERVING" : "NOT_SERVING");
    for (const service of NEEDS_LEADER) say(service, hasLeader);
    for (const service of NEEDS_NOBODY) say(service, true);
  }
}
