/** What runs wait for, as far as a node that starts can say why. */
import type { TypeVersion } from "../model/type-version.ts";
import type { WaitingRuns } from "../state/lists/run-counts.ts";
import type { BehavioursMissing, VersionMissing } from "./runtime-event.ts";

/** Something that is missing, and what to do. */
export interface Missing {
  readonly event: VersionMissing | BehavioursMissing;
  readonly advice: string;
}

/** What of the waiting runs concerns a node that has registered this: runs of its types, in the order in which they are given. */
export function missingFor(
  known: { readonly types: readonly TypeVersion[]; readonly behaviourLevel: number },
  waiting: readonly WaitingRuns[],
): readonly Missing[] {
  return waiting.flatMap(({ type: workflowType, version, behaviourLevel: needed, runs }): Missing[] => {
    const versions = known.types.filter(({ type }) => type === workflowType).map((each) => each.version);
    if (versions.length === 0) return [];
    const of = { workflowType, version, runs };
    if (!versions.includes(version)) {
      const registered = versions.toSorted((a, b) => a - b);
      const advice =
        "Runs wait for a version that no live node has registered. Register it beside the newer ones until they have ended.";
      return [{ event: { type: "version-missing", ...of, registered }, advice }];
    }
    // Others are about to be moved here.
    if (needed <= known.behaviourLevel) return [];
    const advice =
      "Runs wait for behaviours of the engine that this node does not have: they began on nodes of a newer release. Start nodes of that release until they have ended.";
    return [{ event: { type: "behaviours-missing", ...of, needed, registered: known.behaviourLevel }, advice }];
  });
}
