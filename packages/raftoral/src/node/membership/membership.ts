/**
 * Who belongs to the cluster: lets nodes in, makes them voters, moves and removes them.
 *
 * Role: the decisions above Raft's configuration changes. Whatever needs the leader is done on the leader; other nodes pass
 * it on.
 *
 * Invariants:
 * J1. An id is given out by the leader alone, one at a time, after a barrier, and is greater than every id there ever was.
 * J2. A node enters as a learner and becomes a voter only once its log is close to the leader's: no quorum waits for it.
 * J3. The last voter is never removed.
 * J4. Changes are made one at a time, and none after its caller's time is over: the caller may have asked elsewhere since.
 * J5. No node is let in before the log has this leader's own address: the newcomer knows no other, and would answer where the
 *     leader was before it moved.
 * J6. An address that is not in the log yet is a hint: it is dialled while the recorded one fails, and changes nothing else. Without
 *     hints a majority that has moved would never find itself to record its addresses.
 */
import type { Cancel, Clock, ClusterStatus, Logger, NodeId, RaftCluster } from "@raftoral/raft-core";
import { NONE, RaftError } from "@raftoral/raft-core";
import type { CommandResult, WorkflowCommand } from "@raftoral/workflow";
import type { MemberInfo } from "../../api/cluster/cluster.ts";
import { clusterNameOf } from "../../api/cluster/cluster-id.ts";
import { NodeError } from "../../api/errors.ts";
import type { Admission } from "../../service/served-node.ts";
import { Deadline, type Timeout } from "../../time/deadline.ts";
import type { Dial, MembershipPeer } from "./node-network.ts";

/** The Raft group of a node's workflows. */
export type WorkflowCluster = RaftCluster<WorkflowCommand, CommandResult>;

/** What a node's membership is made of. */
export interface MembershipOptions {
  readonly cluster: WorkflowCluster;
  readonly clusterId: string;
  /** Where others reach this node. */
  readonly address: string;
  readonly dial: Dial;
  /** Closes what leads to a node that is no member any more. */
  readonly forget: (nodeId: NodeId) => void;
  readonly clock: Clock;
  /** A member may be at an address as well (J6). */
  readonly suggest: (nodeId: NodeId, address: string) => void;
  readonly logger: Logger;
}

/** A learner this close to the leader's log is caught up: what is missing travels in one message. */
const PROMOTION_LAG_ENTRIES = 100;
const PROMOTION_CHECK_MS = 100;
const PROMOTION_TIMEOUT_MS = 5_000;

/** The membership of one cluster, as one of its nodes carries it out (J1 to J6). */
export class Membership {
  readonly #cluster: WorkflowCluster;
  readonly #clusterId: string;
  readonly #address: string;
  readonly #dial: Dial;
  readonly #forget: (nodeId: NodeId) => void;
  readonly #clock: Clock;
  readonly #suggest: (nodeId: NodeId, address: string) => void;
  readonly #logger: Logger;
  /** Members at the last change. */
  #known: ReadonlySet<NodeId> = new Set();
  /** The change in progress on this node; the next one waits for it. */
  #last: Promise<unknown> = Promise.resolve();
  /** Ends the watch over learners. Undefined while there is none to watch. */
  #promoting: Cancel | undefined;
  #closed = false;
  readonly #unsubscribe: () => void;

  constructor(options: MembershipOptions) {
    this.#cluster = options.cluster;
    this.#clusterId = options.clusterId;
    this.#address = options.address;
    this.#dial = options.dial;
    this.#forget = options.forget;
    this.#clock = options.clock;
    this.#suggest = options.suggest;
    this.#logger = options.logger;
    this.#unsubscribe = this.#cluster.on((event) => {
      if (event.type === "members") this.#forgetRemoved();
      if (event.type === "leader" || event.type === "members") this.#watchLearners();
    });
    this.#forgetRemoved();
    this.#watchLearners();
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe();
    this.#promoting?.();
    this.#promoting = undefined;
  }

  /** Members by id, learners included. */
  members(): readonly MemberInfo[] {
    return membersOf(this.#cluster.status());
  }

  /**
   * Adds a learner at `address` under a new id (J1): `wanted`, or any if that is 0. Rejects with CLUSTER_MISMATCH,
   * CONF_CHANGE_INVALID, NO_LEADER.
   */
  async admit(address: string, clusterName: string, wanted: NodeId, timeout: Timeout): Promise<Admission> {
    if (clusterName !== "" && clusterName !== clusterNameOf(this.#clusterId)) {
      throw new NodeError(
        "CLUSTER_MISMATCH",
        `This is cluster ${this.#clusterId}, not one named ${clusterName}. Check the address to join and the name.`,
        { details: { clusterId: this.#clusterId } },
      );
    }
    return this.#onLeader(
      new Deadline(timeout, this.#clock),
      (deadline) => this.#oneAtATime(deadline, () => this.#admitHere(address, wanted, deadline)),
      (leader, deadline) => leader.join(address, clusterName, wanted, deadline.left()),
    );
  }

  /** Records where a member is now. Rejects with NODE_REMOVED when it is none any more, NODE_UNKNOWN when it never was. */
  async readdress(nodeId: NodeId, address: string, timeout: Timeout): Promise<readonly MemberInfo[]> {
    const deadline = new Deadline(timeout, this.#clock);
    // The quorum that the next line waits for may need it.
    this.suggest(nodeId, address);
    await this.#cluster.readIndex(deadline.left());
    const status = this.#cluster.status();
    const member = membersOf(status).find((other) => other.nodeId === nodeId);
    if (member === undefined) throw noMember(nodeId, status);
    if (member.address !== address) {
      const type = member.voter ? "AddNode" : "AddLearnerNode";
      await this.#oneAtATime(deadline, () =>
        this.#cluster.changeMembership([{ type, nodeId, address }], deadline.left()),
      );
      this.#logger.info({ nodeId, from: member.address, to: address }, "a member moved");
    }
    return this.members();
  }

  /** Another member may be at `address`, which is not recorded (J6). Does nothing for what is no other member. */
  suggest(nodeId: NodeId, address: string): void {
    if (nodeId === this.#cluster.nodeId) return;
    const known = this.members().find((member) => member.nodeId === nodeId)?.address;
    if (known === undefined || known === address) return;
    try {
      this.#suggest(nodeId, address);
    } catch (error) {
      this.#logger.warn({ nodeId, address, err: error }, "an address of a member cannot be used");
    }
  }

  /** Removes a member. Rejects with NODE_UNKNOWN or NODE_REMOVED for what is no member, LAST_MEMBER for the last voter (J3). */
  async remove(nodeId: NodeId, timeout: Timeout): Promise<void> {
    await this.#onLeader(
      new Deadline(timeout, this.#clock),
      (deadline) =>
        this.#oneAtATime(deadline, async () => {
          const status = this.#cluster.status();
          const members = membersOf(status);
          if (!members.some((member) => member.nodeId === nodeId)) throw noMember(nodeId, status);
          if (members.every((member) => member.nodeId === nodeId || !member.voter)) throw lastMember(nodeId);
          await this.#cluster.changeMembership([{ type: "RemoveNode", nodeId }], deadline.left());
          this.#logger.info({ nodeId }, "a member was removed");
        }),
      (leader, deadline) => leader.remove(nodeId, deadline.left()),
    );
  }

  /** Hands the leadership to `to`, or to the voter whose log is furthest. Resolves with who leads then. */
  async transfer(to: NodeId | undefined, timeout: Timeout): Promise<NodeId> {
    if (to !== undefined && !this.members().some((member) => member.nodeId === to)) {
      throw noMember(to, this.#cluster.status());
    }
    return this.#onLeader(
      new Deadline(timeout, this.#clock),
      async (deadline) => {
        const target = to ?? this.#successor();
        if (target === this.#cluster.nodeId) return target;
        await this.#cluster.transferLeadership(target, deadline.left());
        return target;
      },
      (leader, deadline) => leader.transfer(to, deadline.left()),
    );
  }

  /** The voter that is best prepared to lead after this node; this node itself when there is no other. Leader only. */
  #successor(): NodeId {
    const others = membersOf(this.#cluster.status())
      .filter((member) => member.voter && member.nodeId !== this.#cluster.nodeId)
      .sort((a, b) => Number(b.recentlyActive === true) - Number(a.recentlyActive === true) || matchOf(b) - matchOf(a));
    return others[0]?.nodeId ?? this.#cluster.nodeId;
  }

  async #admitHere(address: string, wanted: NodeId, deadline: Deadline): Promise<Admission> {
    await this.#cluster.readIndex(deadline.left());
    // A successor may have let the node in already: its place would be taken for one that this attempt left behind.
    if (!this.#cluster.isLeader) {
      throw new RaftError("NO_LEADER", "The leadership has moved to another node. Ask that node.", {
        retryable: true,
      });
    }
    await this.#recordOwnAddress(deadline);
    const status = this.#cluster.status();
    const present = membersOf(status).find((member) => member.address === address);
    if (present?.voter === true) {
      throw new RaftError(
        "CONF_CHANGE_INVALID",
        `Node ${present.nodeId} of this cluster is at ${address} already. Start it with its data folder, or, if that is lost, remove it first: raftoral leave --id ${present.nodeId}`,
        { details: { nodeId: present.nodeId } },
      );
    }
    if (wanted !== NONE && present?.nodeId === wanted && isUntouched(status, wanted)) {
      return { clusterId: this.#clusterId, nodeId: wanted, members: this.members() };
    }
    if (wanted !== NONE && wanted <= status.highestNodeId) throw idIsUsed(wanted, status.highestNodeId);
    // A learner at this address is an earlier attempt whose answer was lost: nothing relies on it.
    if (present !== undefined) {
      await this.#cluster.changeMembership([{ type: "RemoveNode", nodeId: present.nodeId }], deadline.left());
    }
    const nodeId = wanted === NONE ? this.#cluster.status().highestNodeId + 1 : wanted;
    await this.#cluster.changeMembership([{ type: "AddLearnerNode", nodeId, address, isNew: true }], deadline.left());
    this.#logger.info({ nodeId, address }, "a node joined as a learner");
    return { clusterId: this.#clusterId, nodeId, members: this.members() };
  }

  /** J5. This node leads. */
  async #recordOwnAddress(deadline: Deadline): Promise<void> {
    const { nodeId } = this.#cluster;
    const from = this.#cluster.members().find((member) => member.nodeId === nodeId)?.address;
    if (from === this.#address) return;
    await this.#cluster.changeMembership([{ type: "AddNode", nodeId, address: this.#address }], deadline.left());
    this.#logger.info({ nodeId, from, to: this.#address }, "this leader has moved");
  }

  /** Runs `here` if this node leads, `there` with the leader if another one does. Rejects with NO_LEADER. */
  async #onLeader<T>(
    deadline: Deadline,
    here: (deadline: Deadline) => Promise<T>,
    there: (leader: MembershipPeer, deadline: Deadline) => Promise<T>,
  ): Promise<T> {
    const leaderId = await this.#cluster.waitForLeader(deadline.left());
    if (leaderId === this.#cluster.nodeId) return here(deadline);
    const address = this.#cluster.members().find((member) => member.nodeId === leaderId)?.address;
    if (address === undefined) {
      throw new RaftError("NO_LEADER", `Node ${leaderId} leads, but its address is not known yet. Try again.`, {
        retryable: true,
      });
    }
    const leader = await this.#dial(address, deadline.left());
    try {
      return await there(leader, deadline);
    } finally {
      leader.close();
    }
  }

  /** J4. */
  #oneAtATime<T>(deadline: Deadline, change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      deadline.assertLeft("The change of the membership");
      return change();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  #forgetRemoved(): void {
    const members = new Set(this.members().map((member) => member.nodeId));
    for (const nodeId of this.#known) {
      if (!members.has(nodeId) && nodeId !== this.#cluster.nodeId) this.#forget(nodeId);
    }
    this.#known = members;
  }

  /** Looks at the learners while this node leads and there are any, and only then. */
  #watchLearners(): void {
    if (this.#closed) return;
    const isDue = this.#cluster.isLeader && this.#cluster.status().confState.learners.length > 0;
    if (!isDue) {
      this.#promoting?.();
      this.#promoting = undefined;
    } else if (this.#promoting === undefined) {
      this.#promoting = this.#clock.every(PROMOTION_CHECK_MS, () => this.#promote());
    }
  }

  #promote(): void {
    const nodeId = caughtUp(this.#cluster.status());
    if (nodeId === NONE) return;
    this.#promoting?.();
    const deadline = new Deadline({ timeoutMs: PROMOTION_TIMEOUT_MS }, this.#clock);
    const promoted = this.#oneAtATime(deadline, async () => {
      await this.#cluster.changeMembership([{ type: "AddNode", nodeId }], deadline.left());
      this.#logger.info({ nodeId }, "a learner has caught up and votes now");
    });
    promoted
      .catch((error: unknown) => this.#logger.warn({ nodeId, err: error }, "a learner could not be made a voter yet"))
      .finally(() => {
        this.#promoting = undefined;
        this.#watchLearners();
      });
  }
}

function matchOf({ match = 0 }: MemberInfo): number {
  return match;
}

/** Whether a learner has acknowledged nothing so far: an earlier attempt of the same node, whose answer was lost. */
function isUntouched({ confState, progress }: ClusterStatus, nodeId: NodeId): boolean {
  return confState.learners.includes(nodeId) && progress.find((other) => other.nodeId === nodeId)?.match === 0;
}

/** A learner that can vote without holding anybody up (J2); {@link NONE} when there is none. */
function caughtUp(status: ClusterStatus): NodeId {
  for (const nodeId of status.confState.learners) {
    const progress = status.progress.find((other) => other.nodeId === nodeId);
    if (progress?.state !== "StateReplicate" || !progress.recentActive) continue;
    if (progress.match + PROMOTION_LAG_ENTRIES >= status.lastIndex) return nodeId;
  }
  return NONE;
}

/** Members as `status` shows them, by id. */
export function membersOf(status: ClusterStatus): readonly MemberInfo[] {
  const { voters, votersOutgoing, learners, learnersNext } = status.confState;
  const ids = new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext]);
  return [...ids]
    .sort((a, b) => a - b)
    .map((nodeId) => {
      const progress = status.progress.find((other) => other.nodeId === nodeId);
      return {
        nodeId,
        address: status.members.find((member) => member.nodeId === nodeId)?.address ?? "",
        voter: voters.includes(nodeId),
        ...(progress === undefined ? {} : { match: progress.match, recentlyActive: progress.recentActive }),
      };
    });
}

/** The LAST_MEMBER error of a removal that would leave no voter. */
export function lastMember(nodeId: NodeId): NodeError {
  return new NodeError(
    "LAST_MEMBER",
    `Node ${nodeId} is the cluster's last voter: without it there is no cluster. Stop it instead, or add another node first.`,
  );
}

function idIsUsed(nodeId: NodeId, highest: NodeId): RaftError {
  return new RaftError(
    "CONF_CHANGE_INVALID",
    `The certificate says node ${nodeId}, but ids up to ${highest} have been given, and none is given twice. ` +
      `Make a certificate for node ${highest + 1} or a higher one.`,
    { details: { nodeId } },
  );
}

function noMember(nodeId: NodeId, status: ClusterStatus): RaftError {
  const ids = membersOf(status).map((member) => member.nodeId);
  const details = { nodeId, members: ids };
  if (nodeId <= status.highestNodeId) {
    return new RaftError(
      "NODE_REMOVED",
      `Node ${nodeId} was removed from the cluster, whose members are ${ids.join(", ")}. To come back it joins with an empty data folder.`,
      { details },
    );
  }
  return new RaftError("NODE_UNKNOWN", `There is no node ${nodeId}; members are ${ids.join(", ")}.`, { details });
}
