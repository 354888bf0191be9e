/**
 * `ctx.patched`: which way a body takes at a change of its code.
 *
 * PT1. A run that has something recorded that its body has not asked for went the old way here: false, now and on every replay, for a longer record only says so
 *      again. A run that has nothing left takes the new way: true, which is recorded before anything that depends on it.
 * PT2. One answer for each id in a run.
 * PT3. A record of a patch that no code asks for any more is no difference: the call may be removed once the old way is gone.
 */
import type { CallSite } from "./call-site.ts";

const NOTHING: Uint8Array = new Uint8Array(0);

/** The answer for an id, as it stands in paths. */
export function patched({ body, history }: CallSite, id: string): boolean {
  const known = body.patches.get(id);
  if (known !== undefined) return known;
  // No call's path: those have a number.
  const path = `patched/${id}`;
  const isNew = history.isPatched(path) || history.isAllAsked;
  if (isNew && !history.isPatched(path)) history.stage(path, "patched", NOTHING, false);
  body.patches.set(id, isNew);
  return isNew;
}
