/**
 * What the services need of a node: the border between gRPC and a node, in the types of the API.
 *
 * Every method keeps its limit and rejects with a RaftoralError; none hangs when the quorum is gone.
 */
import type { NodeId } from "@raftoral/raft-core";
import type { CallLimit } from "../api/call-options.ts";
import type { Cluster, MemberInfo } from "../api/cluster/cluster.ts";
import type { EventPage, EventRequest } from "../api/events.ts";
import type { LocksPort } from "../api/locks/locks-port.ts";
import type { OperationsPort } from "../api/operations/operations-port.ts";
import type { Payload } from "../api/payloads/payload.ts";
import type { EndedRun } from "../api/runs.ts";
import type { StreamPage, StreamRequest } from "../api/streams.ts";
import type { UpdateEnd } from "../api/updates/updates.ts";
import type { Workflows } from "../api/workflows.ts";
import type { QueryRequest, UpdateRequest, UpdateWithStartRequest } from "../api/workflows-port.ts";

/** A place in the cluster. */
export interface Admission {
  readonly clusterId: string;
  readonly nodeId: NodeId;
  readonly members: readonly MemberInfo[];
}

/** A node that asks for a place. */
export interface Newcomer {
  /** Where others reach it. */
  readonly address: string;
  /** Of the cluster that it wants to join; empty: any. */
  readonly clusterName: string;
  /** The id to be given; 0: any. */
  readonly nodeId: NodeId;
  /** Who asks: the audit has it. */
  readonly by: string;
}

/** The node that services serve. */
export interface ServedNode {
  readonly nodeId: NodeId;
  readonly clusterId: string;
  readonly workflows: Workflows;
  readonly cluster: Cluster;
  /** The same in the name of a caller: what it changes, the audit says that it did. */
  workflowsOf(by: string): Workflows;
  /** As `workflowsOf`, through the codecs of this node: for callers that have none. */
  clearWorkflowsOf(by: string): Workflows;
  clusterOf(by: string): Cluster;
  operationsOf(by: string): OperationsPort;
  /** Asks for locks in the name of callers, who renew their leases themselves. */
  readonly locks: LocksPort;
  /** One long poll of {@link Workflows.wait}: undefined when the run has not ended within the limit. */
  pollRun(runId: string, limit: CallLimit): Promise<EndedRun | undefined>;
  /** What a handler of a run answers, as it is encoded. */
  queryRun(request: QueryRequest, limit: CallLimit): Promise<Payload>;
  /** One long poll of {@link Workflows.update}: undefined when the update is not that far within the limit. */
  updateRun(request: UpdateRequest, limit: CallLimit): Promise<UpdateEnd | undefined>;
  /** One long poll of {@link Workflows.updateWithStart}. */
  updateWithStart(request: UpdateWithStartRequest, limit: CallLimit): Promise<UpdateEnd | undefined>;
  /** The pages of a stream as they come; ends with the stream or its run, or once it has given what is there. */
  readStream(request: StreamRequest, limit: CallLimit): AsyncIterable<StreamPage>;
  /** The pages of a read of events, as {@link WorkflowsPort.events} gives them. */
  readEvents(request: EventRequest, limit: CallLimit): AsyncIterable<EventPage>;
  /** Members by id, as this node knows them. */
  members(): readonly MemberInfo[];
  /** Gives a node a place, and records that in the audit. */
  admit(newcomer: Newcomer, limit: CallLimit): Promise<Admission>;
  /** Records where a member is now. */
  readdress(nodeId: NodeId, address: string, limit: CallLimit): Promise<readonly MemberInfo[]>;
}
