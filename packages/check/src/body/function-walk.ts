/**
 * Goes through the code of one function in the order in which it runs.
 *
 * W1. Functions and classes in the code are not gone into where they are made, only where they are called or handed over.
 * W2. `hasAwaited` is true as soon as one way through the code has awaited something: the order of what follows, among parallel
 *     branches, is that of answers.
 */
import type { Node } from "@babel/types";
import { environmentRead } from "../impurity/environment.ts";
import type { Impurity } from "../impurity/impurity.ts";
import type { RuleId } from "../rules.ts";
import { childrenOf } from "../syntax/children.ts";
import { isCall, isFunction, isLoop, unwrap } from "../syntax/nodes.ts";
import type { Place } from "../values/evaluator.ts";
import { CallWalk } from "./call-walk.ts";
import { locationOf } from "./findings.ts";
import type { Inspector } from "./inspector.ts";
import { dropMessage, impurityMessage, whereText } from "./messages.ts";
import { NamedCalls } from "./named-calls.ts";
import { type Fate, PromiseFates, type Shape } from "./promise-fate.ts";
import { isRepeatable, isWithoutContext, type Outcome, type Region } from "./region.ts";

/** One walk through one function (W1, W2). The {@link Inspector} makes one for each function that it follows. */
export class FunctionWalk {
  readonly inspector: Inspector;
  readonly place: Place;
  readonly region: Region;
  readonly fates: PromiseFates;
  /** Context calls with names so far. */
  readonly named: NamedCalls;
  hasAwaited = false;
  callsContext = false;
  readonly #calls: CallWalk;
  #gives: Shape | undefined;

  constructor(inspector: Inspector, place: Place, region: Region) {
    this.inspector = inspector;
    this.place = place;
    this.region = region;
    this.fates = new PromiseFates(inspector.evaluator, place, inspector.body.fn);
    this.named = new NamedCalls(inspector.keys);
    this.#calls = new CallWalk(this);
  }

  run(): Outcome {
    const fn = this.place.frame?.fn;
    if (fn === undefined) return { calls: [], callsContext: false, gives: undefined };
    for (const parameter of fn.params) this.#walkDefaults(parameter);
    this.walk(fn.body);
    const isAsync = fn.async === true && fn.generator !== true;
    const gives = isAsync ? (this.callsContext ? "promise" : undefined) : this.#gives;
    return { calls: this.named.all, callsContext: this.callsContext, gives };
  }

  walk(node: Node): void {
    if (isFunction(node)) return;
    if (isCall(node)) this.#calls.walk(node);
    else if (isLoop(node)) this.#walkLoop(node);
    else this.#walkOther(node);
  }

  #walkOther(node: Node): void {
    switch (node.type) {
      case "ClassDeclaration":
      case "ClassExpression":
        return;
      case "Identifier":
        this.#read(node);
        return;
      case "MemberExpression":
      case "OptionalMemberExpression":
        if (!this.#readMember(node)) this.#walkChildren(node);
        return;
      case "AwaitExpression":
      case "YieldExpression":
        this.#walkChildren(node);
        this.hasAwaited = true;
        return;
      case "ImportExpression":
        this.report("foreign-promise", node, { rule: "foreign-promise", name: "import()" });
        this.#walkChildren(node);
        return;
      case "VariableDeclaration":
        for (const { id, init } of node.declarations) {
          if (init != null) this.walk(init);
          this.#walkDefaults(id);
        }
        return;
      case "AssignmentExpression":
        if (node.left.type !== "Identifier") this.#walkDefaults(node.left);
        this.walk(node.right);
        return;
      case "IfStatement":
      case "ConditionalExpression":
        this.walk(node.test);
        this.#walkEither([node.consequent, ...(node.alternate == null ? [] : [node.alternate])]);
        return;
      case "SwitchStatement":
        this.walk(node.discriminant);
        this.#walkEither(node.cases);
        return;
      default:
        this.#walkChildren(node);
    }
  }

  /** Reports something impure, unless the code is in a step or may be. */
  report(rule: RuleId, node: Node, impurity: Impurity): void {
    if (isRepeatable(this.region.mode)) this.add(rule, node, impurityMessage(impurity, this.where));
  }

  add(rule: RuleId, node: Node, message: string): void {
    const { inspector, region } = this;
    const { workflow } = inspector;
    const { calledFrom } = region;
    inspector.findings.add(rule, locationOf(node, this.place.module), { message, workflow, calledFrom });
  }

  get where(): string {
    return whereText(this.inspector.workflow);
  }

  /** Reports the promise of a context call at `node` when no code waits for it. `name` is what the message calls it. */
  judge(fate: Fate, node: Node, name: string): void {
    if (isWithoutContext(this.region.mode)) return;
    // Calls of one chain, or of one array, are dropped together: one finding is enough.
    if (fate.type === "dropped" && this.inspector.isNewDrop(fate.at)) {
      this.add("unawaited-call", node, dropMessage(name, fate.drop));
    }
    // `() => ctx.step(...)` in the code of `fn` itself: the caller of the function has the promise.
    if (fate.type === "returned" && fate.fn === this.place.frame?.fn) this.#gives = fate.shape;
  }

  /** Takes over what a function that was called does with contexts from outside of it. */
  adopt(outcome: Outcome, isLater: boolean): void {
    if (isWithoutContext(this.region.mode)) return;
    this.callsContext ||= outcome.callsContext;
    for (const call of outcome.calls) this.named.add(isLater ? { ...call, isAfterAwait: true } : call);
  }

  #walkChildren(node: Node): void {
    for (const child of childrenOf(node)) this.walk(child);
  }

  /** What a pattern evaluates: defaults, computed keys, and the objects whose members it assigns. */
  #walkDefaults(pattern: Node): void {
    switch (pattern.type) {
      case "Identifier":
        return;
      case "AssignmentPattern":
        this.#walkDefaults(pattern.left);
        this.walk(pattern.right);
        return;
      case "ArrayPattern":
      case "ObjectPattern":
      case "ObjectProperty":
      case "RestElement":
      case "TSParameterProperty":
        for (const child of childrenOf(pattern)) this.#walkDefaults(child);
        return;
      default:
        this.walk(pattern);
    }
  }

  /** Of `parts`, one runs, or some of them do. */
  #walkEither(parts: readonly Node[]): void {
    const before = this.hasAwaited;
    let after = before;
    for (const part of parts) {
      this.hasAwaited = before;
      this.walk(part);
      if (!endsAbruptly(part)) after ||= this.hasAwaited;
    }
    this.hasAwaited = after;
  }

  #walkLoop(loop: Node): void {
    const before = this.hasAwaited;
    const first = this.named.all.length;
    if (loop.type === "ForOfStatement" && loop.await) {
      this.walk(loop.right);
      this.hasAwaited = true;
    }
    if (loop.type === "ForInStatement" || loop.type === "ForOfStatement") {
      if (!(loop.type === "ForOfStatement" && loop.await)) this.walk(loop.right);
      if (loop.left.type !== "VariableDeclaration") this.#walkDefaults(loop.left);
      this.walk(loop.body);
    } else {
      this.#walkChildren(loop);
    }
    // What the loop calls before its first await, it calls again after it.
    if (!before && this.hasAwaited) this.named.repeatAfterAwait(first);
  }

  /** A name that stands for a part of the process: `const { HOME } = process.env` outside of the body. */
  #read(node: Node & { type: "Identifier" }): void {
    if (!isRepeatable(this.region.mode)) return;
    const binding = this.place.module.bindingOf(node);
    if (binding === undefined) return;
    const value = this.inspector.evaluator.valueOf(node, this.place);
    if (value?.type !== "global" && value?.type !== "external") return;
    const impurity = environmentRead(value);
    if (impurity !== undefined && !this.#isReadBefore(node)) this.report(impurity.rule, node, impurity);
  }

  /** Whether the expression is a member of the process, and reported or about to be. */
  #readMember(node: Node): boolean {
    if (!isRepeatable(this.region.mode)) return false;
    const value = this.inspector.evaluator.valueOf(node, this.place);
    if (value?.type !== "global" && value?.type !== "external") return false;
    const impurity = environmentRead(value);
    if (impurity === undefined) return false;
    if (!this.#isReadBefore(node)) this.report(impurity.rule, node, impurity);
    return true;
  }

  /** Whether the name at the root of `a.b.c` was given its value in the body, by a read that is reported already. */
  #isReadBefore(node: Node): boolean {
    let root = unwrap(node);
    while (root.type === "MemberExpression" || root.type === "OptionalMemberExpression") root = unwrap(root.object);
    const binding = root.type === "Identifier" ? this.place.module.bindingOf(root) : undefined;
    if (binding?.fn === undefined || binding.origin.type !== "init") return false;
    const value = this.inspector.evaluator.valueOf(binding.origin.init, this.place);
    return (value?.type === "global" || value?.type === "external") && environmentRead(value) !== undefined;
  }
}

/** Whether what stands after `node` is not reached through it. */
function endsAbruptly(node: Node): boolean {
  switch (node.type) {
    case "BreakStatement":
    case "ContinueStatement":
    case "ReturnStatement":
    case "ThrowStatement":
      return true;
    case "BlockStatement": {
      const last = node.body.at(-1);
      return last !== undefined && endsAbruptly(last);
    }
    case "SwitchCase": {
      const last = node.consequent.at(-1);
      return last?.type === "ReturnStatement" || last?.type === "ThrowStatement";
    }
    default:
      return false;
  }
}
