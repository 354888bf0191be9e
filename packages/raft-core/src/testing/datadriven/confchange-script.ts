/** Runs scripts about configuration changes. Each change is applied to the result of the ones before. */
import { type ChangeResult, Changer } from "../../confchange/changer.ts";
import { describeConfig } from "../../tracker/config.ts";
import { ProgressTracker } from "../../tracker/progress-tracker.ts";
import { parseBool, ScriptError, singleValue } from "./arguments.ts";
import { parseConfChanges } from "./conf-change-tokens.ts";
import type { ScriptRunner } from "./run-script.ts";
import type { Directive } from "./script.ts";

const MAX_INFLIGHT = 10;

/** A runner of one such script. The first configuration has no members. */
export function confChangeScript(): ScriptRunner {
  const tracker = new ProgressTracker(MAX_INFLIGHT);
  let lastIndex = 0;
  return (directive) => {
    // Every directive, also a refused one, counts as an entry in the log.
    const result = change(directive, new Changer(tracker, lastIndex++));
    if (!result.ok) return result.reason;
    tracker.adopt(result.config, result.progress);
    const lines = [...tracker.progress].map(([id, progress]) => `${id}: ${progress}`);
    return [describeConfig(tracker.config), ...lines].join("\n");
  };
}

function change({ command, args, input }: Directive, changer: Changer): ChangeResult {
  const changes = parseConfChanges(input);
  switch (command) {
    case "simple":
      return changer.simple(changes);
    case "enter-joint": {
      const autoLeave = args.find((argument) => argument.key === "autoleave");
      return changer.enterJoint(autoLeave !== undefined && parseBool(singleValue(autoLeave)), changes);
    }
    case "leave-joint":
      return changes.length > 0 ? { ok: false, reason: "this command takes no input" } : changer.leaveJoint();
    default:
      throw new ScriptError(`unknown command: ${command}`);
  }
}
