/** Which groups a peer was removed from, for every transport that tells removed peers so. */
import type { GroupReceiver } from "../ports/peer-transport.ts";
import type { GroupId, NodeId } from "../types.ts";

/** The groups that `peer` was removed from. Empty unless it was removed from every group that it could be a member of here. */
export function removedFrom(groups: Iterable<readonly [GroupId, GroupReceiver]>, peer: NodeId): readonly GroupId[] {
  const groupIds: GroupId[] = [];
  for (const [groupId, receiver] of groups) {
    const isRemoved = receiver.isRemoved?.(peer);
    if (isRemoved === false) return [];
    if (isRemoved === true) groupIds.push(groupId);
  }
  return groupIds;
}
