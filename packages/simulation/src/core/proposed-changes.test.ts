import { EMPTY_BYTES } from "@raftoral/raft-core";
import type { ConfChangeSingle } from "@raftoral/raft-core/core";
import { describe, expect, test } from "vitest";
import { Random } from "../world/random.ts";
import { type Action, action } from "./action.ts";
import { CoreGroup } from "./core-group.ts";
import { type CoreSettings, drawCoreSettings } from "./core-settings.ts";
import { requireRecovery } from "./recovery.ts";

const REST: Action = action("rest", 0, { amount: 1_000 });

function changeOf(number: number, ...changes: readonly ConfChangeSingle[]): Action {
  return action("change", 1, { change: { transition: "Auto", changes, context: EMPTY_BYTES }, amount: number });
}

describe("a configuration change of bare cores", () => {
  test.each([true, false])("is turned down as a whole when one part of it is: async %s", (isAsync) => {
    const drawn = drawCoreSettings(new Random(1));
    const config = { ...drawn.config, asyncStorageWrites: isAsync, maxUncommittedBytes: Number.POSITIVE_INFINITY };
    const settings: CoreSettings = { ...drawn, voters: 2, learners: 0, isAsync, ticksTogether: false, config };
    const group = new CoreGroup(settings, new Random(1));
    const perform = (...actions: readonly Action[]): void => {
      for (const one of actions) group.perform(one);
    };
    perform(action("campaign", 1), REST, changeOf(1, { type: "RemoveNode", nodeId: 2 }), REST);
    // Without the first part nothing would be left of the group.
    const parts: readonly ConfChangeSingle[] = [
      { type: "AddNode", nodeId: 2 },
      { type: "RemoveNode", nodeId: 1 },
    ];
    perform(changeOf(2, ...parts), REST);
    expect(group.ledger.latestConfiguration?.voters).toEqual([1]);
    expect([...group.changes.applied]).toEqual([1]);
    requireRecovery(group);
  });
});
