/** Events with their values decoded. */
import type { PayloadCoder } from "@raftoral/workflow";
import type { ClusterRunEvent } from "../events.ts";
import { shown, shownError, shownRecord } from "./shown-payload.ts";

/** The event with its values, and the details of its failure, where they can be read. Never rejects. */
export async function shownEvent(coder: PayloadCoder, event: ClusterRunEvent): Promise<ClusterRunEvent> {
  switch (event.type) {
    case "run-started":
    case "run-continued":
      return event.input === undefined ? event : { ...event, input: await shown(coder, event.input) };
    case "record-committed": {
      const { path, kind, value } = event;
      return value === undefined ? event : { ...event, value: await shownRecord(coder, path, kind, value) };
    }
    case "signal-buffered":
      return event.payload === undefined ? event : { ...event, payload: await shown(coder, event.payload) };
    case "attempt-failed":
      return { ...event, error: await shownError(coder, event.error, `step ${event.path}`) };
    case "update-answered": {
      const { answer, error, name } = event;
      return {
        ...event,
        ...(answer === undefined ? {} : { answer: await shown(coder, answer) }),
        ...(error === undefined ? {} : { error: await shownError(coder, error, `the failure of update ${name}`) }),
      };
    }
    case "run-ended": {
      const { result, error, runId } = event;
      return {
        ...event,
        ...(result === undefined ? {} : { result: await shown(coder, result) }),
        ...(error === undefined ? {} : { error: await shownError(coder, error, `the end of run ${runId}`) }),
      };
    }
    default:
      return event;
  }
}
