/** What is done to runs, between generated messages and the types of the API, both ways. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { NodeError } from "../api/errors.ts";
import type { MendAction } from "../api/mending/mending.ts";
import { completeStepAction } from "../api/mending/mending-arguments.ts";
import { Payload } from "../api/payloads/payload.ts";
import type { MendActionSchema, MendAction as WireAction } from "../gen/raftoral/v1/run_operations_pb.ts";

/** An action as a message. */
export function actionToWire(action: MendAction): MessageInitShape<typeof MendActionSchema> {
  switch (action.kind) {
    case "terminate":
      return { action: { case: "terminate", value: {} } };
    case "pause":
      return { action: { case: "pause", value: { now: action.isNow } } };
    case "retry":
      return { action: { case: "retry", value: { from: action.from ?? "" } } };
    case "complete-step":
      return { action: { case: "completeStep", value: { path: action.path, value: action.value.bytes } } };
  }
}

/** The action of a message. Throws REQUEST_INVALID for none, or one of a later version, and NAME_INVALID for a step without a path. */
export function actionFromWire(message: WireAction | undefined): MendAction {
  const action = message?.action;
  switch (action?.case) {
    case "terminate":
      return { kind: "terminate" };
    case "pause":
      return { kind: "pause", isNow: action.value.now };
    case "retry":
      return { kind: "retry", from: action.value.from === "" ? undefined : action.value.from };
    case "completeStep": {
      const { path, value } = action.value;
      return completeStepAction(path, Payload.ofBytes(value, `the value of step ${path}`));
    }
    default:
      throw new NodeError(
        "REQUEST_INVALID",
        "The request names nothing that this node could do to the run. Set the field action; a newer client may need a newer node.",
      );
  }
}
