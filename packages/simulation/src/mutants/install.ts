/**
 * Brings a known bug back, for this thread only: modules that are loaded from now on are read with the mutant's edits. Nothing
 * on disk changes, and the code that is tested has no switch for it.
 */
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./mutant.ts";

/** The folder of the packages; edits name files within it. */
const PACKAGES = new URL("../../../", import.meta.url);

/** Throws, at loading, when a place that is to be edited is not there exactly once. */
export function installMutant(mutant: Mutant): void {
  const edits = Map.groupBy(mutant.edits, ({ file }) => fileURLToPath(new URL(file, PACKAGES)));
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      const own = url.startsWith("file:") ? edits.get(fileURLToPath(url)) : undefined;
      if (own === undefined) return loaded;
      let source =
        typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source as Uint8Array);
      for (const edit of own) source = applyEdit(source, edit);
      return { ...loaded, source };
    },
  });
}

/** `source` with an edit made. Throws when there is not exactly one place for it. */
export function applyEdit(source: string, { file, find, replace }: Mutant["edits"][number]): string {
  const parts = source.split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} places like:\n${find}`);
  return parts.join(replace);
}
