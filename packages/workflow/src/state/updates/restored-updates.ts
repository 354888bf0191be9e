/** Puts the updates of runs from a snapshot into a store; what does not belong together is refused with SNAPSHOT_INVALID. */
import type { WireReader } from "@raftoral/raft-core/wire";
import { NO_UPDATES } from "../../model/update.ts";
import { numberKey, updateKey, updatePlaceKey } from "../../records/state-keys.ts";
import type { RunRecord } from "../runs/run-record.ts";
import type { RecordSink } from "../runs/run-records.ts";
import { invalid } from "../snapshots/snapshot-format.ts";
import { putUpdate, updateCodec } from "./update-codec.ts";

/** The updates of one run after the other, and whether they are those that the run's head tells of. */
export class RestoredUpdates {
  #open = 0;
  #openBytes = 0;
  #answered = 0;
  #answeredBytes = 0;

  /** Takes an update of `run`. */
  take(to: RecordSink, run: RunRecord, content: WireReader): void {
    const { runId, startKey, head } = run;
    const update = updateCodec.read(content);
    const { id, number, status, place, value } = update;
    const { latest, answered, forgotten } = head.updates ?? NO_UPDATES;
    const isAnswered = status === "completed" || status === "failed";
    const isSound = number > 0 && number <= latest && isAnswered === place > 0;
    if (!isSound || (isAnswered && (place <= forgotten || place > answered)))
      throw invalid(`an update of run ${runId} is malformed`);
    const isTwice =
      to.get(updateKey(startKey, id)) !== undefined ||
      (isAnswered && to.get(updatePlaceKey(startKey, numberKey(place))) !== undefined);
    if (isTwice) throw invalid(`update ${id} of run ${runId} comes twice`);
    putUpdate(to, startKey, update);
    if (isAnswered) {
      this.#answered += 1;
      this.#answeredBytes += value.length;
    } else {
      this.#open += 1;
      this.#openBytes += value.length;
    }
  }

  /** All updates of a run have come. */
  end({ runId, head }: RunRecord): void {
    const said = head.updates ?? NO_UPDATES;
    const isWhole =
      said.open === this.#open &&
      said.openBytes === this.#openBytes &&
      said.answered - said.forgotten === this.#answered &&
      said.answeredBytes === this.#answeredBytes;
    this.#open = 0;
    this.#openBytes = 0;
    this.#answered = 0;
    this.#answeredBytes = 0;
    if (!isWhole) throw invalid(`run ${runId} has other updates than it says`);
  }
}
