/** What is under way in the real world, beside virtual time. */

/** Timers, sockets, files and the like that are under way in this process: where there are none, nothing real can settle a promise. */
export function activeResources(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind !== "Immediate").length;
}
