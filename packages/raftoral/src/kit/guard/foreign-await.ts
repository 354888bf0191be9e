/** What a test says of a body that awaits something that no record answers. */

/** `body`: the subject of the sentence. `call`: the call that the body makes then, as its author wrote it. */
export function foreignAwaitText(body: string, call: string): string {
  return `${body} makes the call ${call} after awaiting something that is not recorded, while other calls are open. A replay may come to another order. Await timers, I/O, events and promises of other code inside of a step: ctx.step(name, () => ...).`;
}
