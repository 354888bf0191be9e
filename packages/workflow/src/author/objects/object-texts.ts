/** What is said of objects and workflows that are taken for each other. */

/** What is said of an object's type where a workflow is wanted. */
export function notAWorkflowText(type: string): string {
  return `Type ${type} is one of objects, which are not started: an object is there as soon as it is called. Call it with workflows.object("${type}", key), or with ctx.object in a body.`;
}

/** What is said of a workflow's type where an object is wanted. */
export function notAnObjectText(type: string): string {
  return `Type ${type} is a workflow and none of objects, so nothing was called and no run was started. Start it with workflows.start, or give the type of an object.`;
}
