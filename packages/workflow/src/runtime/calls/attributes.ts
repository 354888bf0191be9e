/** `ctx.setAttributes`: a recorded change of what the run is found by. A replay makes the same one, so it costs no round (staged-records.ts SR3). */
import { encodeAttributes } from "../../model/attributes.ts";
import type { BodyAttributes } from "../body/body-attributes.ts";
import type { CallSite } from "./call-site.ts";

/** The call that records changes at a path. Throws ATTRIBUTES_INVALID. */
export function setAttributes(attributes: BodyAttributes, path: string, given: unknown) {
  const changes = attributes.ask(given);
  const value = encodeAttributes(changes);
  return (site: CallSite): Promise<void> =>
    attributes.inTurn(() =>
      site.once({
        path,
        kind: "attributes",
        record: () => site.work(async () => site.record(path, "attributes", value, true)),
        answer: () => attributes.answered(changes),
      }),
    );
}
