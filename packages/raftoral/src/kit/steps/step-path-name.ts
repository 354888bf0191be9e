/** The name and occurrence in a path: `ship/label#1` is the second `label` of scope `ship`. */

/** The step's own name, unescaped, and which of that name it is within its scope, from 1. */
export function stepOf(path: string): { readonly name: string; readonly occurrence: number } {
  const own = path.slice(path.lastIndexOf("/") + 1);
  const hash = own.lastIndexOf("#");
  return { name: decodeURIComponent(own.slice(0, hash)), occurrence: Number(own.slice(hash + 1)) + 1 };
}
