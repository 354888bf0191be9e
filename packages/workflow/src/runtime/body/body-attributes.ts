/**
 * The attributes of a run as its body sees and sets them.
 *
 * BA1. What the body sees follows from the attributes that its generation began with and from its own changes, so a replay sees the same.
 * BA2. Changes are recorded one after the other, in the order of the calls: the last one stands.
 * BA3. A change is checked when it is asked for, as the state will check it, so none is refused afterwards.
 */
import { type AttributeValues, attributesInvalid, attributeValues, storedChanges } from "../../author/attributes.ts";
import { type AttributeChanges, type Attributes, changedAttributes } from "../../model/attributes.ts";

/** The attributes of one body (BA1 to BA3). */
export class BodyAttributes {
  readonly #runId: string;
  /** As answered, and as asked for. */
  #now: Attributes;
  #asked: Attributes;
  /** Settles, never rejects, when the changes asked for so far are recorded. */
  #quiet: Promise<unknown> | undefined;

  constructor(runId: string, initial: Attributes) {
    this.#runId = runId;
    this.#now = initial;
    this.#asked = initial;
  }

  /** What the body has been told is recorded. */
  get values(): AttributeValues {
    return attributeValues(this.#now);
  }

  /** Takes changes that the body asks for. Throws ATTRIBUTES_INVALID. */
  ask(given: unknown): AttributeChanges {
    const changes = storedChanges(this.#runId, given);
    const after = changedAttributes(this.#asked, changes);
    if (typeof after === "string") throw attributesInvalid(this.#runId, after);
    this.#asked = after;
    return changes;
  }

  /** Runs `record` once the changes asked for before are recorded (BA2). */
  inTurn(record: () => Promise<void>): Promise<void> {
    const recorded = this.#quiet === undefined ? record() : this.#quiet.then(record);
    this.#quiet = recorded.catch(() => {});
    return recorded;
  }

  /** The body is told that changes are recorded. */
  answered(changes: AttributeChanges): void {
    const now = changedAttributes(this.#now, changes);
    // Both follow from the same changes, so there is nothing wrong with these (BA3).
    if (typeof now !== "string") this.#now = now;
  }
}
