/** Brings a group to states that random actions hardly ever end in. What is done is done through actions, so that it can be repeated. */
import { EMPTY_BYTES, type NodeId } from "@raftoral/raft-core";
import { type Action, action } from "../core/action.ts";
import { MAX_MESSAGES_PER_TICK } from "../core/come-to-rest.ts";
import type { CoreGroup } from "../core/core-group.ts";
import type { CoreNode } from "../core/core-node.ts";
import { leadsWithoutVote } from "../invariants/observed.ts";
import type { Random } from "../world/random.ts";

const MAX_ROUNDS = 12;
const REST = action("rest", 0, { amount: MAX_MESSAGES_PER_TICK });
/** Numbers of changes that the schedule did not use. */
const FIRST_CHANGE = 1_000;

type Perform = (one: Action) => boolean;

/** With most seeds nothing. With the others one of the states, if the group can come to it. */
export function leadToRareState(group: CoreGroup, random: Random, perform: Perform): void {
  const { leader } = group;
  if (leader === undefined) return;
  const others = [...group.nodes.values()].filter((node) => node !== leader && node.isUp);
  const other = random.pick(others);
  if (other === undefined) return;
  switch (random.below(10)) {
    case 0:
    case 1:
      leadToSnapshot(group, leader, other, random, perform);
      break;
    case 2:
      leadToLossOfVote(leader, others, perform);
      break;
  }
}

/** A follower misses what the leader then compacts. Ends when a snapshot is under way to it, or has come and is not written. */
function leadToSnapshot({ network }: CoreGroup, leader: CoreNode, behind: CoreNode, random: Random, perform: Perform) {
  const [from, to] = [leader.id, behind.id];
  perform(action("crash", to));
  for (let more = 0; more < 3; more++) perform(action("propose", from));
  perform(REST);
  perform(action("compact", from));
  perform(action("settle", from));
  perform(action("start", to));
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (round % 2 === 0) perform(action("tick", from));
    perform(action("settle", from));
    if (network.between(from, to)[0]?.message.type === "MsgSnap") break;
    exchange(from, to, perform);
  }
  if (random.chance(0.5)) perform(action("deliver", from, { to }));
}

/** A leader proposes its own removal. Ends when it has applied that, and the others do not know. */
function leadToLossOfVote(leader: CoreNode, others: readonly CoreNode[], perform: Perform): void {
  const change = {
    transition: "Auto",
    changes: [{ type: "RemoveNode", nodeId: leader.id }],
    context: EMPTY_BYTES,
  } as const;
  perform(REST);
  perform(action("change", leader.id, { change, amount: FIRST_CHANGE }));
  for (let round = 0; round < MAX_ROUNDS; round++) {
    perform(action("settle", leader.id));
    if (leadsWithoutVote(leader)) break;
    for (const { id } of others) exchange(leader.id, id, perform);
  }
}

/** The oldest message from one to the other arrives, and the oldest answer. */
function exchange(from: NodeId, to: NodeId, perform: Perform): void {
  perform(action("deliver", from, { to }));
  perform(action("settle", to));
  perform(action("deliver", to, { to: from }));
}
