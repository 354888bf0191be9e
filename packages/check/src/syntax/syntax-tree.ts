/** A parsed file with the way up from each node, and what the check starts from. */
import type { Comment, File, Node, Program } from "@babel/types";
import { childrenOf } from "./children.ts";
import { type CallNode, type FunctionNode, isCall, isFunction } from "./nodes.ts";

/** The tree of one file, with the parent of each node. */
export class SyntaxTree {
  readonly program: Program;
  readonly comments: readonly Comment[];
  /** All calls, in the order of the source. */
  readonly calls: readonly CallNode[];
  /** All functions and methods with a body, in the order of the source. */
  readonly functions: readonly FunctionNode[];
  readonly #parents = new Map<Node, Node>();

  constructor(file: File) {
    this.program = file.program;
    this.comments = file.comments ?? [];
    const calls: CallNode[] = [];
    const functions: FunctionNode[] = [];
    // A stack of its own: a chain of ten thousand members is parsed without recursion, too.
    const open: Node[] = [file.program];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (isCall(node)) calls.push(node);
      if (isFunction(node)) functions.push(node);
      for (const child of childrenOf(node).reverse()) {
        this.#parents.set(child, node);
        open.push(child);
      }
    }
    this.calls = calls;
    this.functions = functions;
  }

  /** Undefined for the program. */
  parentOf(node: Node): Node | undefined {
    return this.#parents.get(node);
  }

  /** The function whose code `node` is a part of; undefined for code of the module. */
  functionOf(node: Node): FunctionNode | undefined {
    for (let up = this.parentOf(node); up !== undefined; up = this.parentOf(up)) if (isFunction(up)) return up;
    return undefined;
  }

  /** Whether `ancestor` contains `node`, or is the same node. */
  contains(ancestor: Node, node: Node): boolean {
    for (let up: Node | undefined = node; up !== undefined; up = this.parentOf(up)) if (up === ancestor) return true;
    return false;
  }
}
