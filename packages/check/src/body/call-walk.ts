/** Calls in the code of one function: what is called, what it does with the arguments, and what becomes of its promise. */
import type { Node } from "@babel/types";
import { impureCall } from "../impurity/impure-call.ts";
import type { NamedValue } from "../impurity/impurity.ts";
import { type CallNode, calledMember, isFunction, unwrap } from "../syntax/nodes.ts";
import type { FunctionValue, Value } from "../values/value.ts";
import { contextCall, VARIABLE_CHANGES } from "./context-calls.ts";
import { waitsForOutside } from "./executor.ts";
import { locationOf } from "./findings.ts";
import type { FunctionWalk } from "./function-walk.ts";
import { type Branch, branchesOf, type NamedCall, unorderedCalls } from "./parallel-names.ts";
import {
  isRepeatable,
  isWithoutContext,
  type Mode,
  modeWithin,
  NO_OUTCOME,
  type Outcome,
  type Region,
} from "./region.ts";

const ALL_AT_ONCE = /^Promise\.(all|allSettled|any|race)$/;
/** Global functions that call their function argument at once, or in an order that the source says. */
const CALLS_ARGUMENT = /^(Array\.from|JSON\.(parse|stringify)|(Map|Object)\.groupBy|Promise|queueMicrotask)$/;
const LATER_METHODS = new Set(["catch", "finally", "then"]);
const CALLING_METHODS = new Set([
  ...["every", "filter", "find", "findIndex", "findLast", "findLastIndex", "flatMap", "forEach", "map", "reduce"],
  ...["reduceRight", "replace", "replaceAll", "some", "sort", "toSorted", ...LATER_METHODS],
]);

/** What a function that may not call a context is called in messages. */
const FUNCTION_OF: Readonly<Record<Mode, string>> = {
  body: "The body",
  unclear: "A function",
  step: "A step function",
  pure: "The function of a variable's change or of a query",
};

/** Judges the calls of one function for its {@link FunctionWalk}. */
export class CallWalk {
  readonly #walk: FunctionWalk;
  /** What each call of this function started. */
  readonly #started = new Map<Node, readonly Branch[]>();

  constructor(walk: FunctionWalk) {
    this.#walk = walk;
  }

  walk(call: CallNode): void {
    const callee = this.#valueOf(call.callee);
    if (callee?.type === "context-method") this.#contextCall(call, callee);
    else if (callee?.type === "variable-method") this.#variableCall(call, callee.method);
    else if (callee?.type === "function") this.#functionCall(call, callee);
    else if (callee?.type === "external" || callee?.type === "global") this.#outsideCall(call, callee);
    else this.#unknownCall(call);
  }

  #contextCall(call: CallNode, { id, method }: Value & { readonly type: "context-method" }): void {
    const walk = this.#walk;
    const { region } = walk;
    const spec = contextCall(method);
    if (spec === undefined) return;
    const named = spec.nameOption === undefined ? undefined : propertiesOf(call.arguments[spec.nameOption]).get("name");
    const name = this.#text(spec.name === undefined ? named : call.arguments[spec.name]);
    const shown = `${method}(${name === undefined ? "" : JSON.stringify(name)})`;
    this.#walkArguments(call, method === "step" ? spec.stepFunction : undefined);
    if (isWithoutContext(region.mode)) {
      walk.add("call-in-step", call, `${FUNCTION_OF[region.mode]} ${walk.where} calls ${shown} of the context.`);
      return;
    }
    walk.callsContext = true;
    if (id !== region.context) {
      walk.add("outer-context", call, `${shown} calls the context outside of the scope that the call is in.`);
    }
    const calls: NamedCall[] = [];
    if (name !== undefined) {
      calls.push({ context: id, method, name, node: call, module: walk.place.module, isAfterAwait: walk.hasAwaited });
      for (const each of calls) walk.named.add(each);
    }
    if (spec.stepFunction !== undefined) this.#runStep(call, spec.stepFunction);
    if (spec.scopeFunction !== undefined) {
      const from = isInline(call, spec.scopeFunction) ? undefined : call;
      calls.push(...this.#runScope(this.#argument(call, spec.scopeFunction), call, id, from));
    }
    if (spec.scopeFunctions !== undefined) {
      for (const property of propertiesOf(call.arguments[spec.scopeFunctions]).values()) {
        calls.push(...this.#runScope(this.#valueOf(property), property, id, isFunction(property) ? undefined : call));
      }
    }
    if (spec.bodyFunction !== undefined) this.#runCallbacks(call, "body");
    if (spec.pureFunction !== undefined) this.#runPure(call, spec.pureFunction);
    this.#started.set(call, [
      { calls: calls.map((each) => (each.node === call ? { ...each, isAfterAwait: false } : each)), isRepeated: false },
    ]);
    if (spec.isPromise) walk.judge(walk.fates.fateOf(call, "promise"), call, shown);
  }

  #runStep(call: CallNode, index: number): void {
    const fn = this.#argument(call, index);
    if (fn?.type === "function")
      this.#follow(fn, () => undefined, { mode: "step" }, isInline(call, index) ? undefined : call);
  }

  /** A function that is called whenever its value is needed. */
  #runPure(call: CallNode, index: number): void {
    const fn = this.#argument(call, index);
    const argument = call.arguments[index];
    if (argument === undefined) return;
    if (fn?.type === "global" || fn?.type === "external") this.#callByReference(argument, fn, call);
    if (fn?.type === "function")
      this.#follow(fn, () => undefined, { mode: "pure" }, isInline(call, index) ? undefined : call);
  }

  /** Returns what the scope's function calls outside of the scope. `scope`: the node that tells scopes apart. */
  #runScope(fn: Value | undefined, scope: Node, outer: number, from: CallNode | undefined): readonly NamedCall[] {
    if (fn?.type !== "function") return [];
    const { inspector, place } = this.#walk;
    const key = `scope ${inspector.keys.ofObject(scope)} of ${outer} in ${place.frame?.key ?? 0}`;
    const context = inspector.keys.of(key);
    const outcome = this.#follow(
      fn,
      (at) => (at === 0 ? { type: "context", id: context } : undefined),
      { context },
      from,
    );
    const calls = outcome.calls.filter((each) => each.context !== context);
    this.#walk.adopt({ ...outcome, calls }, this.#walk.hasAwaited);
    return calls;
  }

  #variableCall(call: CallNode, method: string): void {
    const walk = this.#walk;
    this.#walkCallee(call);
    this.#walkArguments(call);
    const { mode } = walk.region;
    if (isWithoutContext(mode)) {
      walk.add("call-in-step", call, `${FUNCTION_OF[mode]} ${walk.where} calls ${method}() of a replicated variable.`);
      return;
    }
    walk.callsContext = true;
    const index = VARIABLE_CHANGES.get(method)?.pureFunction;
    if (index !== undefined) this.#runPure(call, index);
    walk.judge(walk.fates.fateOf(call, "promise"), call, `${method}() of a variable`);
  }

  #functionCall(call: CallNode, callee: FunctionValue): void {
    const walk = this.#walk;
    this.#walkArguments(call);
    const argumentOf = walk.inspector.evaluator.argumentsOf(call, walk.place);
    const given = call.arguments.map((_, index) => argumentOf(index)).findIndex((value) => value?.type === "context");
    const context = given === -1 ? undefined : argumentOf(given);
    const own = context?.type === "context" ? context.id : walk.region.context;
    const isInlineCallee = isFunction(unwrap(call.callee));
    const outcome = this.#follow(callee, argumentOf, { context: own }, isInlineCallee ? undefined : call);
    const argument = call.arguments[given];
    if (argument !== undefined && own !== walk.region.context && outcome.callsContext) {
      walk.add("outer-context", argument, "The context outside of the scope is handed to a function that calls it.");
    }
    walk.adopt(outcome, walk.hasAwaited);
    this.#started.set(call, [{ calls: outcome.calls, isRepeated: false }]);
    if (outcome.gives !== undefined) walk.judge(walk.fates.fateOf(call, outcome.gives), call, this.#nameOf(call));
  }

  /** A call of something that is declared in no file of the check. */
  #outsideCall(call: CallNode, callee: NamedValue): void {
    const walk = this.#walk;
    const impurity = isRepeatable(walk.region.mode) ? impureCall(callee, call) : undefined;
    if (impurity !== undefined) walk.report(impurity.rule, call, impurity);
    else this.#walkCallee(call);
    this.#walkArguments(call);
    const isKnown = callee.type === "global" && CALLS_ARGUMENT.test(callee.path);
    this.#runCallbacks(call, isKnown || this.#callsItsArgument(call) ? "body" : "unclear");
    if (callee.type !== "global") return;
    if (callee.path === "Promise" && waitsForOutside(call, walk.place, walk.inspector.evaluator)) {
      walk.report("foreign-promise", call, { rule: "foreign-promise", name: "new Promise()" });
    }
    if (ALL_AT_ONCE.test(callee.path)) this.#judgeNames(call, callee.path);
  }

  #unknownCall(call: CallNode): void {
    this.#walkCallee(call);
    this.#walkArguments(call);
    this.#runCallbacks(call, this.#callsItsArgument(call) ? "body" : "unclear");
  }

  #callsItsArgument(call: CallNode): boolean {
    return CALLING_METHODS.has(calledMember(call)?.name ?? "");
  }

  /** Follows the functions among the arguments. */
  #runCallbacks(call: CallNode, mode: Mode): void {
    const walk = this.#walk;
    const argumentOf = walk.inspector.evaluator.argumentsOf(call, walk.place);
    const values = call.arguments.map((_, index) => argumentOf(index));
    const method = calledMember(call);
    const isLater = LATER_METHODS.has(method?.name ?? "");
    const calls: NamedCall[] = [];
    for (const [index, value] of values.entries()) {
      const argument = call.arguments[index];
      if (argument === undefined) continue;
      if ((value?.type === "global" || value?.type === "external") && mode === "body")
        this.#callByReference(argument, value, call);
      if (value?.type !== "function") continue;
      const from = isInline(call, index) ? undefined : call;
      let outcome = this.#follow(value, () => undefined, { mode }, from);
      // A function that calls a context is a part of the body, no matter which code calls the function.
      if (mode === "unclear" && outcome.callsContext) {
        outcome = this.#follow(value, () => undefined, { mode: "body" }, from);
      }
      walk.adopt(outcome, isLater || walk.hasAwaited);
      calls.push(...outcome.calls.map((each) => (isLater ? { ...each, isAfterAwait: true } : each)));
      if (outcome.gives !== undefined) {
        walk.judge(walk.fates.fateInCallback(call), argument, "a context call");
      }
    }
    // `new Promise` runs its function once; so may a function that is not known.
    const isRepeated = mode === "body" && !isLater && call.type !== "NewExpression";
    const earlier = isLater && method !== undefined ? branchesOf(method.object, walk.place.module, this.#started) : [];
    const before = earlier.flatMap((branch) => branch.calls);
    if (calls.length + before.length > 0) this.#started.set(call, [{ calls: [...before, ...calls], isRepeated }]);
  }

  /** `items.map(Math.random)`: the call is made by the method that gets the function. */
  #callByReference(argument: Node, callee: NamedValue, call: CallNode): void {
    const impurity = impureCall(callee, { ...call, type: "CallExpression" } as CallNode);
    if (impurity !== undefined) this.#walk.report(impurity.rule, argument, impurity);
  }

  #judgeNames(call: CallNode, path: string): void {
    const walk = this.#walk;
    const [list] = call.arguments;
    if (list === undefined || isWithoutContext(walk.region.mode)) return;
    const branches = branchesOf(list, walk.place.module, this.#started);
    for (const { method, name, node, module } of unorderedCalls(branches)) {
      const { line } = locationOf(call, walk.place.module);
      walk.inspector.findings.add("duplicate-name", locationOf(node, module), {
        message: `${method}(${JSON.stringify(name)}) comes after an await in more than one branch of ${path} on line ${line}; which branch is counted first differs between runs.`,
        workflow: walk.inspector.workflow,
        calledFrom: walk.region.calledFrom,
      });
    }
    this.#started.set(call, [{ calls: branches.flatMap((branch) => branch.calls), isRepeated: false }]);
  }

  /** Arguments that are evaluated for the call. Functions among them are followed where it is known what becomes of them. */
  #walkArguments(call: CallNode, stepFunction?: number): void {
    for (const [index, argument] of call.arguments.entries()) {
      const expression = unwrap(argument);
      // `ctx.step("folder", process.cwd)` reads no folder here.
      const isReference = index === stepFunction && /^(Identifier|(Optional)?MemberExpression)$/.test(expression.type);
      if (!isFunction(expression) && !isReference) this.#walk.walk(expression);
    }
  }

  #walkCallee(call: CallNode): void {
    const callee = unwrap(call.callee);
    if (!isFunction(callee)) this.#walk.walk(callee);
  }

  #follow(
    fn: FunctionValue,
    argumentOf: (index: number) => Value | undefined,
    change: Partial<Pick<Region, "context" | "mode">>,
    from: CallNode | undefined,
  ): Outcome {
    const { inspector, place, region } = this.#walk;
    const mode = modeWithin(region.mode, change.mode);
    const calledFrom = region.calledFrom ?? (from === undefined ? undefined : locationOf(from, place.module));
    const outcome = inspector.follow(fn, argumentOf, { ...region, ...change, mode, calledFrom });
    return isWithoutContext(mode) ? NO_OUTCOME : outcome;
  }

  #nameOf(call: CallNode): string {
    const callee = unwrap(call.callee);
    if (callee.type === "Identifier") return `${callee.name}()`;
    const member = calledMember(call);
    return member === undefined ? "an asynchronous function" : `${member.name}()`;
  }

  #argument(call: CallNode, index: number): Value | undefined {
    return this.#walk.inspector.evaluator.argumentsOf(call, this.#walk.place)(index);
  }

  #text(node: Node | undefined): string | undefined {
    const value = node === undefined ? undefined : this.#valueOf(node);
    return value?.type === "string" ? value.text : undefined;
  }

  #valueOf(node: Node): Value | undefined {
    return this.#walk.inspector.evaluator.valueOf(node, this.#walk.place);
  }
}

/** The values of an object that is written into a call, by key. */
function propertiesOf(argument: Node | undefined): ReadonlyMap<string, Node> {
  const found = new Map<string, Node>();
  const object = argument === undefined ? undefined : unwrap(argument);
  if (object?.type !== "ObjectExpression") return found;
  for (const property of object.properties) {
    const isNamed = property.type !== "SpreadElement" && !property.computed;
    if (!isNamed) continue;
    const key =
      property.key.type === "Identifier" ? property.key.name : "value" in property.key ? property.key.value : "";
    found.set(String(key), property.type === "ObjectMethod" ? property : unwrap(property.value));
  }
  return found;
}

/** Whether the argument is a function written into the call. */
function isInline(call: CallNode, index: number): boolean {
  const argument = call.arguments[index];
  return argument !== undefined && isFunction(unwrap(argument));
}
