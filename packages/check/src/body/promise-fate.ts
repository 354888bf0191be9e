/**
 * What becomes of the promise of a context call: whether somebody waits for it.
 *
 * F1. A promise is dropped only when every way that it takes ends without an await, within what the file shows. A promise that
 *     goes to code that is not known, is used.
 * F2. An array or object of promises is a `collection`: `await` does not wait for what is in it.
 */
import type { Node } from "@babel/types";
import type { Binding } from "../scope/binding.ts";
import { type CallNode, calledMember, type FunctionNode, isCall, isWrapper, propertyName } from "../syntax/nodes.ts";
import type { Evaluator, Place } from "../values/evaluator.ts";

/** Whether a value is a promise or a collection of promises. */
export type Shape = "collection" | "promise";

/** How a promise is dropped. */
export type Drop =
  | { readonly how: "await-collection" | "operand" | "result" | "statement" | "void" }
  /** Stored in a name, and never awaited. */
  | { readonly how: "stored"; readonly name: string }
  /** Returned to a method that does not wait: `forEach`. */
  | { readonly how: "callback"; readonly method: string };

/** What becomes of a promise. */
export type Fate =
  | { readonly type: "used" }
  /** `at` is where the way of the promise ends. */
  | { readonly type: "dropped"; readonly drop: Drop; readonly at: Node }
  /** The function gives the promise to its caller. */
  | { readonly type: "returned"; readonly fn: FunctionNode; readonly shape: Shape };

const USED: Fate = { type: "used" };

const PROMISE_METHODS = new Set(["catch", "finally", "then"]);
const PROMISE_OF_PROMISES = /^Promise\.(all|allSettled|any|race|resolve)$/;
const SAME_ELEMENTS = new Set(["concat", "filter", "flat", "reverse", "slice", "toReversed"]);
const COLLECTING_METHODS = new Set(["flatMap", "map"]);
const CHAINING_METHODS = new Set(["reduce", "reduceRight", ...PROMISE_METHODS]);
const ADDING_METHODS = new Set(["push", "unshift"]);
const DROPPING_METHODS = new Set([
  "every",
  "filter",
  "find",
  "findIndex",
  "findLast",
  "findLastIndex",
  "forEach",
  "some",
]);
/** Functions that compute with the value itself. */
const COMPUTING = /^(Boolean|JSON\.stringify|Math\.[a-z0-9]+|Number|String|console\.[a-z]+|isNaN|parseFloat|parseInt)$/;

/** Tells what becomes of the promises in one function (F1, F2). */
export class PromiseFates {
  readonly #evaluator: Evaluator;
  readonly #place: Place;
  /** The function whose result is the result of the run. */
  readonly #body: FunctionNode | undefined;
  /** The names that the question under way has come through. */
  readonly #followed = new Set<Binding>();
  readonly #known = { collection: new Map<Binding, Fate>(), promise: new Map<Binding, Fate>() };

  constructor(evaluator: Evaluator, place: Place, body: FunctionNode | undefined) {
    this.#evaluator = evaluator;
    this.#place = place;
    this.#body = body;
  }

  /** What becomes of the value of the expression `node`, which is a promise or a collection of promises. */
  fateOf(node: Node, shape: Shape): Fate {
    this.#followed.clear();
    return this.#fateOf(node, shape);
  }

  /** What becomes of what a function gives to the call that it is an argument of. */
  fateInCallback(call: CallNode): Fate {
    this.#followed.clear();
    return this.#inCallback(call);
  }

  #fateOf(node: Node, shape: Shape): Fate {
    const parent = this.#parentOf(node);
    if (parent === undefined) return dropped("statement", node);
    if (isWrapper(parent)) return this.#fateOf(parent, shape);
    if (isCall(parent)) return this.#inCall(node, parent);
    switch (parent.type) {
      case "ExpressionStatement":
        return this.#settlesAnother(node) ? USED : dropped("statement", node);
      case "AwaitExpression":
        return shape === "promise" ? USED : dropped("await-collection", node);
      case "ArrowFunctionExpression":
        return parent.body === node ? this.#returnedFrom(parent, node, shape) : USED;
      case "ReturnStatement": {
        const fn = this.#place.module.tree.functionOf(parent);
        return fn === undefined ? USED : this.#returnedFrom(fn, node, shape);
      }
      case "UnaryExpression":
        return dropped(parent.operator === "void" ? "void" : "operand", node);
      case "BinaryExpression":
      case "DoWhileStatement":
      case "ForInStatement":
      case "IfStatement":
      case "SwitchStatement":
      case "WhileStatement":
        return dropped("operand", node);
      case "TemplateLiteral":
        return this.#parentOf(parent)?.type === "TaggedTemplateExpression" ? USED : dropped("operand", node);
      case "ForStatement":
        return dropped(parent.test === node ? "operand" : "statement", node);
      case "ForOfStatement":
        return parent.await || shape === "collection" ? USED : dropped("operand", node);
      case "ConditionalExpression":
        return parent.test === node ? dropped("operand", node) : this.#fateOf(parent, shape);
      case "LogicalExpression":
        return parent.left === node && parent.operator === "&&"
          ? dropped("operand", node)
          : this.#fateOf(parent, shape);
      case "SequenceExpression":
        return parent.expressions.at(-1) === node ? this.#fateOf(parent, shape) : dropped("statement", node);
      case "ArrayExpression":
      case "ObjectExpression":
        return this.#fateOf(parent, "collection");
      case "ObjectProperty":
        return parent.value === node ? this.#fateOf(parent, shape) : USED;
      case "SpreadElement":
        return this.#spread(parent, shape);
      case "MemberExpression":
      case "OptionalMemberExpression":
        return parent.object === node ? this.#ofMember(parent, shape) : dropped("operand", node);
      case "VariableDeclarator":
        return this.#stored(parent.id, node, shape);
      case "AssignmentExpression":
        return this.#assigned(parent.left, node, parent, shape);
      default:
        return USED;
    }
  }

  #inCallback(call: CallNode): Fate {
    const callee = this.#evaluator.valueOf(call.callee, this.#place);
    if (callee?.type === "global" && callee.path === "Array.from") return this.#fateOf(call, "collection");
    if (callee !== undefined && callee.type !== "global") return USED;
    const method = calledMember(call)?.name;
    if (method === undefined) return USED;
    if (COLLECTING_METHODS.has(method)) return this.#fateOf(call, "collection");
    if (CHAINING_METHODS.has(method)) return this.#fateOf(call, "promise");
    return DROPPING_METHODS.has(method) ? { type: "dropped", drop: { how: "callback", method }, at: call } : USED;
  }

  #inCall(node: Node, call: CallNode): Fate {
    if (call.callee === node) return dropped("operand", node);
    const callee = this.#evaluator.valueOf(call.callee, this.#place);
    if (callee?.type === "global") {
      if (PROMISE_OF_PROMISES.test(callee.path)) return this.#fateOf(call, "promise");
      if (/^(Array\.from|Object\.(entries|values))$/.test(callee.path)) return this.#fateOf(call, "collection");
      if (COMPUTING.test(callee.path)) return dropped("operand", node);
    }
    const member = calledMember(call);
    if (member !== undefined && ADDING_METHODS.has(member.name) && member.object.type === "Identifier") {
      const array = this.#place.module.bindingOf(member.object);
      if (array?.origin.type === "init") return this.#ofBinding(array, "collection");
    }
    return USED;
  }

  #returnedFrom(fn: FunctionNode, node: Node, shape: Shape): Fate {
    if (fn === this.#body && shape === "collection") return dropped("result", node);
    // An asynchronous function waits for what it returns. What becomes of its own promise is decided where it is called.
    if (fn === this.#body || fn.async === true || fn.generator === true) return USED;
    let holder: Node = fn;
    let parent = this.#parentOf(fn);
    while (parent !== undefined && isWrapper(parent)) {
      holder = parent;
      parent = this.#parentOf(parent);
    }
    if (parent === undefined || !isCall(parent)) return { type: "returned", fn, shape };
    return parent.callee === holder ? this.#fateOf(parent, shape) : this.#inCallback(parent);
  }

  #spread(spread: Node, shape: Shape): Fate {
    const target = this.#parentOf(spread);
    if (target?.type === "ArrayExpression" && shape === "collection") return this.#fateOf(target, "collection");
    return shape === "promise" ? dropped("operand", spread) : USED;
  }

  /** `member` is `value.name`, or its call. */
  #ofMember(member: Node & { type: "MemberExpression" | "OptionalMemberExpression" }, shape: Shape): Fate {
    const name = propertyName(member.property, member.computed);
    const parent = this.#parentOf(member);
    const call = parent !== undefined && isCall(parent) && parent.callee === member ? parent : undefined;
    if (shape === "promise") {
      return call !== undefined && name !== undefined && PROMISE_METHODS.has(name)
        ? this.#fateOf(call, "promise")
        : dropped("operand", member);
    }
    if (name === "length") return dropped("operand", member);
    if (call === undefined || name === undefined) {
      const isTarget = parent?.type === "AssignmentExpression" && parent.left === member;
      return isTarget ? dropped("statement", member) : USED;
    }
    if (SAME_ELEMENTS.has(name)) return this.#fateOf(call, "collection");
    return ADDING_METHODS.has(name) ? dropped("statement", member) : USED;
  }

  #stored(target: Node, node: Node, shape: Shape): Fate {
    if (target.type !== "Identifier") return shape === "promise" ? dropped("operand", node) : USED;
    const binding = this.#place.module.bindingOf(target);
    return binding === undefined ? USED : this.#ofBinding(binding, shape);
  }

  #assigned(target: Node, node: Node, assignment: Node, shape: Shape): Fate {
    const own = this.#fateOf(assignment, shape);
    if (own.type !== "dropped") return own;
    if (target.type === "Identifier") return this.#stored(target, node, shape);
    if (target.type === "MemberExpression" && target.object.type === "Identifier") {
      const array = this.#place.module.bindingOf(target.object);
      if (array?.origin.type === "init" && array.origin.init.type === "ArrayExpression") {
        return this.#ofBinding(array, "collection");
      }
    }
    return USED;
  }

  #ofBinding(binding: Binding, shape: Shape): Fate {
    const unused: Fate = {
      type: "dropped",
      drop: { how: "stored", name: binding.name },
      at: binding.declaration,
    };
    // Only an answer that no name above was left out of is kept for the next question.
    const isComplete = this.#followed.size === 0;
    const known = isComplete ? this.#known[shape].get(binding) : undefined;
    if (known !== undefined) return known;
    if (this.#followed.has(binding)) return unused;
    this.#followed.add(binding);
    const isUsed = binding.reads.some((read) => this.#fateOf(read, shape).type !== "dropped");
    const fate = isUsed ? USED : unused;
    if (isComplete) this.#known[shape].set(binding, fate);
    return fate;
  }

  /** `new Promise((resolve) => { ctx.step(...).then(resolve); })`: code that waits for the new promise waits for the call. */
  #settlesAnother(statement: Node): boolean {
    const { module } = this.#place;
    for (let fn = module.tree.functionOf(statement); fn !== undefined; fn = module.tree.functionOf(fn)) {
      const call = this.#parentOf(fn);
      if (call?.type !== "NewExpression" || call.arguments[0] !== fn) continue;
      if (this.#evaluator.isGlobal(call.callee, "Promise", this.#place)) {
        const reads = module.scopes.parametersOf(fn).flatMap((parameter) => parameter.reads);
        return reads.some((read) => module.tree.contains(statement, read));
      }
    }
    return false;
  }

  #parentOf(node: Node): Node | undefined {
    return this.#place.module.tree.parentOf(node);
  }
}

function dropped(how: "await-collection" | "operand" | "result" | "statement" | "void", at: Node): Fate {
  return { type: "dropped", drop: { how }, at };
}
