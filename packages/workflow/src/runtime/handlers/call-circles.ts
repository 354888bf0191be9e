/**
 * Calls that would wait for themselves: an exclusive handler of an object waits until those before it have ended, and the one that the call follows from is one of them.
 *
 * CI1. The chain of a call names the calls that wait for it (call-chain.ts CC1). If one of them comes from an exclusive handler of this generation of this run, that handler
 *      does not end before the call does. A child that the handler has started counts where the handler waits for its end.
 * CI2. Two chains that wait for each other crosswise are no circle in either, and are not found.
 */
import { OWN_PREFIX } from "../../author/objects/object-record.ts";
import type { CallLink, CallOrigin } from "../../model/runs/call-chain.ts";
import { resultPath } from "../../model/runs/parent.ts";
import type { UpdateHandling } from "./update-judging.ts";
import { nameInPath } from "./update-record.ts";

/** Finds such calls at one run. */
export class CallCircles {
  readonly #run: Pick<CallLink, "runId" | "startIndex">;
  readonly #handlers: ReadonlyMap<string, UpdateHandling>;
  readonly #awaits: (path: string) => boolean;

  /** `awaits`: whether the body waits for the record at a path, which somebody else writes. */
  constructor(
    run: Pick<CallLink, "runId" | "startIndex">,
    handlers: ReadonlyMap<string, UpdateHandling>,
    awaits: (path: string) => boolean,
  ) {
    this.#run = run;
    this.#handlers = handlers;
    this.#awaits = awaits;
  }

  /** Why a call of this handler is refused, if it closes a circle (CI1). */
  closedBy({ name, isExclusive }: UpdateHandling, origin: CallOrigin | undefined): string | undefined {
    if (!isExclusive || origin === undefined) return undefined;
    const { runId } = this.#run;
    const at = origin.chain.findIndex((link) => this.#isExclusive(link));
    if (at === -1) return undefined;
    const way = [...origin.chain.slice(at).map(({ runId: called }) => called), runId].join(" -> ");
    return `The call of exclusive handler ${shownName(name)} of object ${runId} was refused: it follows from an exclusive handler of the same object, which would wait for it for ever (${way}). Make one of the two handlers shared, or call after the first one has ended.`;
  }

  #isExclusive({ runId, startIndex, path, isChild }: CallLink): boolean {
    if (runId !== this.#run.runId || startIndex !== this.#run.startIndex) return false;
    if (isChild && !this.#awaits(resultPath(path))) return false;
    const name = handlerIn(path);
    return name !== undefined && this.#handlers.get(name)?.isExclusive === true;
  }
}

/** The handler that makes a call at this path: by an update, or in the scope of a call that was sent for later. */
function handlerIn(path: string): string | undefined {
  const end = path.indexOf("/");
  if (end === -1) return undefined;
  const first = path.slice(0, end);
  const name = first.includes("#u") ? nameInPath(first) : first.replace(/#\d+$/, "");
  const shown = decodeURIComponent(name);
  return first.includes("#u") || !shown.startsWith(OWN_PREFIX) ? shown : shown.slice(OWN_PREFIX.length);
}

function shownName(name: string): string {
  return name.startsWith(OWN_PREFIX) ? name.slice(OWN_PREFIX.length) : name;
}
