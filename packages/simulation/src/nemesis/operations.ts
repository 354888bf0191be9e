/** What operators do, at bad moments: changes of the membership, transfers, campaigns, snapshots. */
import type { ConfState, MemberChange, NodeId } from "@raftoral/raft-core";
import type { Fault, FaultContext, Injected } from "./fault.ts";
import { pickRunning } from "./fault.ts";
import { hasQuorumLeft } from "./quorum-budget.ts";

const MAX_VOTERS = 7;
/** No node leaves a group of fewer voters. */
const MIN_VOTERS_TO_LEAVE = 2;
/** How long a change or a transfer may take its caller. */
export const TIMEOUT_MS = 3_000;
/** A change that its proposer gave up may still be made for about as long. */
const LINGER_MS = 5_000;
/** Outcomes are seen in the configurations and in the clients' histories. */
const ignore = (): void => {};

function change(context: FaultContext, changes: readonly MemberChange[] | undefined): Injected | undefined {
  const { world } = context;
  const node = pickRunning(context);
  const confState = world.monitor.ledger.latestConfiguration;
  if (node?.cluster === undefined || confState === undefined || changes === undefined) return undefined;
  if (!hasQuorumLeft(world, afterwards(confState, changes))) return undefined;
  for (const { type, nodeId } of changes) {
    if (type !== "RemoveNode" && !world.nodes.has(nodeId)) world.addNode(nodeId, { kind: "join" }).start();
  }
  world.changesUnderWay++;
  const { life } = node;
  let isOver = false;
  const over = (): void => {
    if (!isOver) world.changesUnderWay--;
    isOver = true;
  };
  const overLater = (): void => {
    world.after(LINGER_MS, "change-over", 0, undefined, over);
  };
  life?.onEnd(overLater);
  node.cluster.changeMembership(changes, { timeoutMs: TIMEOUT_MS }).then(over, overLater);
  return { text: `at n${node.id}: ${changes.map(({ type, nodeId }) => `${type} n${nodeId}`).join(", ")}` };
}

/** The configuration that the changes lead to, if they are made. */
function afterwards({ voters, learners }: ConfState, changes: readonly MemberChange[]): ConfState {
  const next = new Set(voters);
  for (const { type, nodeId } of changes) {
    if (type === "AddNode") next.add(nodeId);
    else next.delete(nodeId);
  }
  return { voters: [...next], learners, votersOutgoing: [], learnersNext: [], autoLeave: false };
}

const add = (nodeId: NodeId, type: "AddNode" | "AddLearnerNode" = "AddNode"): MemberChange => ({
  type,
  nodeId,
  address: `n${nodeId}:1`,
});
const remove = (nodeId: NodeId): MemberChange => ({ type: "RemoveNode", nodeId });

/** Whom to remove: a member whose disk is lost, rather than another. */
function pickLeaving(context: FaultContext, confState: ConfState): NodeId | undefined {
  const { world, random } = context;
  const lost = confState.voters.filter((id) => world.nodes.get(id)?.condition === "lost");
  return mayLeave(context, confState) ? (random.pick(lost) ?? random.pick(confState.voters)) : undefined;
}

function mayLeave({ world }: FaultContext, { voters }: ConfState): boolean {
  return voters.length >= MIN_VOTERS_TO_LEAVE + world.changesUnderWay;
}

type Changes = (context: FaultContext, confState: ConfState) => readonly MemberChange[] | undefined;

const addVoter: Changes = (context, { voters, learners }) => {
  const learner = context.random.chance(0.5) ? context.random.pick(learners) : undefined;
  return voters.length >= MAX_VOTERS ? undefined : [add(learner ?? context.newNodeId())];
};
const addLearner: Changes = (context, { learners }) =>
  learners.length >= 2 ? undefined : [add(context.newNodeId(), "AddLearnerNode")];
const removeVoter: Changes = (context, confState) => {
  const leaving = pickLeaving(context, confState);
  return leaving === undefined ? undefined : [remove(leaving)];
};
const removeLearner: Changes = ({ random }, { learners }) => {
  const leaving = random.pick(learners);
  return leaving === undefined ? undefined : [remove(leaving)];
};
const demoteVoter: Changes = (context, confState) => {
  const demoted = mayLeave(context, confState) ? context.random.pick(confState.voters) : undefined;
  return demoted === undefined ? undefined : [add(demoted, "AddLearnerNode")];
};
const replaceVoter: Changes = (context, confState) => {
  const leaving = pickLeaving(context, confState);
  return leaving === undefined ? undefined : [remove(leaving), add(context.newNodeId())];
};
const jointChange: Changes = (context, confState) => {
  const { random } = context;
  const { voters } = confState;
  const leaving = mayLeave(context, confState)
    ? random.shuffled(voters).slice(0, random.whole(0, voters.length - 1))
    : [];
  const room = Math.max(1, Math.min(3, MAX_VOTERS - voters.length + leaving.length));
  const joining = Array.from({ length: random.whole(1, room) }, () => context.newNodeId());
  const leave = (id: NodeId) => (random.chance(0.3) ? add(id, "AddLearnerNode") : remove(id));
  return [...leaving.map(leave), ...joining.map((id) => add(id))];
};

function changeMembers(context: FaultContext, changes: Changes): Injected | undefined {
  const confState = context.world.monitor.ledger.latestConfiguration;
  return confState === undefined ? undefined : change(context, changes(context, confState));
}

/** Any change of the membership. */
export function changeSomething(context: FaultContext): Injected | undefined {
  return changeMembers(context, context.random.oneOf(addVoter, addLearner, removeVoter, demoteVoter, replaceVoter));
}

/** The removal of one voter, or its demotion. */
export function removeOne(context: FaultContext, nodeId: NodeId): Injected | undefined {
  return changeMembers(context, (_, confState) => {
    if (!mayLeave(context, confState) || !confState.voters.includes(nodeId)) return undefined;
    return [context.random.chance(0.3) ? add(nodeId, "AddLearnerNode") : remove(nodeId)];
  });
}

/** A change of several voters, through a joint configuration. */
export function changeVotersTogether(context: FaultContext): Injected | undefined {
  return changeMembers(context, context.random.oneOf(jointChange, replaceVoter));
}

function operation(kind: string, weight: number, changes: Changes): Fault {
  return { kind, weight, durationMs: [1, 1], inject: (context) => changeMembers(context, changes) };
}

export const OPERATIONS: readonly Fault[] = [
  operation("add-voter", 2, addVoter),
  operation("add-learner", 1, addLearner),
  operation("remove-voter", 2, removeVoter),
  operation("remove-learner", 1, removeLearner),
  operation("demote-voter", 1, demoteVoter),
  operation("replace-voter", 3, replaceVoter),
  operation("joint-change", 2, jointChange),
  {
    kind: "transfer",
    weight: 4,
    durationMs: [1, 1],
    inject: (context) => {
      const node = pickRunning(context);
      const to = context.random.pick(context.world.monitor.ledger.latestConfiguration?.voters ?? []);
      if (node?.cluster === undefined || to === undefined) return undefined;
      node.cluster.transferLeadership(to, { timeoutMs: TIMEOUT_MS }).then(ignore, ignore);
      return { text: `n${node.id} is asked to hand leadership to n${to}` };
    },
  },
  {
    kind: "campaign",
    weight: 2,
    durationMs: [1, 1],
    inject: (context) => {
      const node = context.random.pick([...context.world.nodes.values()].filter((one) => one.isResponsive));
      if (node?.cluster === undefined || node.cluster.failure !== undefined) return undefined;
      node.cluster.campaign();
      return { text: `n${node.id} is told to campaign` };
    },
  },
  {
    kind: "snapshot",
    weight: 4,
    durationMs: [1, 1],
    inject: (context) => {
      const node = pickRunning(context);
      if (node?.cluster === undefined) return undefined;
      node.cluster.snapshot().then(ignore, ignore);
      return { text: `n${node.id} takes a snapshot` };
    },
  },
];
