/**
 * What expressions stand for, found by following names, members, imports and simple calls without running anything.
 *
 * V1. A value is given only when it is the same whenever the expression is evaluated; everything else is undefined, "not known".
 * V2. The work for one question is bounded: what needs more than MAX_WORK questions, or is deeper than MAX_DEPTH, is not known.
 */
import type { Identifier, Node, ObjectExpression, ObjectMember } from "@babel/types";
import { CONTEXT_CALLS, OBJECT_CALL, OBJECT_STATE, VARIABLE_CHANGES } from "../body/context-calls.ts";
import { givesClient } from "../impurity/io.ts";
import type { ModuleGraph } from "../modules/module-graph.ts";
import type { SourceModule } from "../modules/source-module.ts";
import type { Binding, PatternPath } from "../scope/binding.ts";
import { isConstant } from "../scope/scope-analysis.ts";
import { type CallNode, calledMember, type FunctionNode, isFunction, propertyName, unwrap } from "../syntax/nodes.ts";
import { Frame } from "./frame.ts";
import type { Keys } from "./keys.ts";
import type { FunctionValue, Value } from "./value.ts";

const MAX_DEPTH = 100;
const MAX_WORK = 2_000;

const GLOBAL_OBJECTS = new Set(["globalThis", "global", "window", "self"]);

/** Where code is: its file, and what the parameters around it stand for. */
export interface Place {
  readonly module: SourceModule;
  readonly frame: Frame | undefined;
}

/** Answers what expressions of the modules of one graph stand for (V1, V2). */
export class Evaluator {
  readonly #graph: ModuleGraph;
  readonly #keys: Keys;
  readonly #members = new WeakMap<ObjectExpression, ReadonlyMap<string, ObjectMember>>();
  #depth = 0;
  #work = 0;

  constructor(graph: ModuleGraph, keys: Keys) {
    this.#graph = graph;
    this.#keys = keys;
  }

  /** What an expression stands for. */
  valueOf(node: Node, place: Place): Value | undefined {
    if (this.#depth === 0) this.#work = 0;
    this.#work += 1;
    if (this.#depth >= MAX_DEPTH || this.#work > MAX_WORK) return undefined;
    this.#depth += 1;
    try {
      return this.#evaluate(unwrap(node), place);
    } finally {
      this.#depth -= 1;
    }
  }

  /** The frame of a call of `fn` whose argument `index` stands for `argumentOf(index)`. */
  frameOf({ fn, module, frame: outer }: FunctionValue, argumentOf: (index: number) => Value | undefined): Frame {
    const values = new Map<Binding, Value>();
    const described: string[] = [];
    for (const binding of module.scopes.parametersOf(fn)) {
      if (binding.origin.type !== "parameter" || !isConstant(binding)) continue;
      const value = this.#within(argumentOf(binding.origin.index), binding.origin.path);
      if (value === undefined) continue;
      values.set(binding, value);
      described.push(`${this.#keys.ofObject(binding)}=${this.#keys.ofValue(value)}`);
    }
    const key = this.#keys.of(`frame ${this.#keys.ofObject(fn)} in ${outer?.key ?? 0}: ${described.join()}`);
    return new Frame(fn, outer, values, key);
  }

  /** What the arguments of a call stand for, by index. Arguments from a spread on are not known. */
  argumentsOf(call: CallNode, place: Place): (index: number) => Value | undefined {
    const spread = call.arguments.findIndex(({ type }) => type === "SpreadElement");
    return (index) => {
      const node = call.arguments[index];
      return node === undefined || (spread !== -1 && index >= spread) ? undefined : this.valueOf(node, place);
    };
  }

  /** What `module` exports as `name`. */
  exportOf(module: SourceModule, name: string): Value | undefined {
    const exported = module.exported(name);
    if (!("type" in exported)) {
      for (const specifier of exported) {
        const value = this.#importOf(module, specifier, name);
        if (value !== undefined) return value;
      }
      return undefined;
    }
    if (exported.type === "binding") return this.#bound(exported.binding, { module, frame: undefined });
    if (exported.type === "elsewhere") return this.#importOf(module, exported.specifier, exported.imported);
    return this.valueOf(exported.node, { module, frame: undefined });
  }

  /** What a name of an annotation stands for, when it is imported. */
  typeOf(name: Identifier, module: SourceModule): Value | undefined {
    const binding = module.scopes.moduleBinding(name.name);
    return binding?.origin.type === "import" ? this.#bound(binding, { module, frame: undefined }) : undefined;
  }

  /** Whether an expression stands for a global name, or a member of one: `Promise.all`. */
  isGlobal(node: Node, path: string, place: Place): boolean {
    const value = this.valueOf(node, place);
    return value?.type === "global" && value.path === path;
  }

  #evaluate(node: Node, place: Place): Value | undefined {
    const { module, frame } = place;
    if (isFunction(node)) return { type: "function", fn: node, module, frame };
    switch (node.type) {
      case "Identifier": {
        const binding = place.module.bindingOf(node);
        return binding === undefined ? { type: "global", path: node.name } : this.#bound(binding, place);
      }
      case "MemberExpression":
      case "OptionalMemberExpression": {
        const name = propertyName(node.property, node.computed);
        return name === undefined ? undefined : this.#member(this.valueOf(node.object, place), name);
      }
      case "CallExpression":
      case "OptionalCallExpression":
        return this.#call(node, place);
      case "NewExpression": {
        const made = this.valueOf(node.callee, place);
        return made !== undefined && givesClient(made, "new") ? made : undefined;
      }
      case "AwaitExpression":
        return this.#awaited(unwrap(node.argument), place);
      case "ObjectExpression":
        return { type: "object", node, module, frame };
      case "StringLiteral":
        return { type: "string", text: node.value };
      case "TemplateLiteral": {
        const text = node.quasis[0]?.value.cooked;
        return node.expressions.length === 0 && typeof text === "string" ? { type: "string", text } : undefined;
      }
      case "AssignmentExpression":
        return node.operator === "=" ? this.valueOf(node.right, place) : undefined;
      case "SequenceExpression":
        return this.#last(node.expressions, place);
      // Only a side that means something certain is of interest: `options.fetch ?? fetch` may be fetch.
      case "LogicalExpression":
        return this.valueOf(node.left, place) ?? this.valueOf(node.right, place);
      case "ConditionalExpression":
        return this.valueOf(node.consequent, place) ?? this.valueOf(node.alternate, place);
      default:
        return undefined;
    }
  }

  #last(nodes: readonly Node[], place: Place): Value | undefined {
    const last = nodes.at(-1);
    return last === undefined ? undefined : this.valueOf(last, place);
  }

  #bound(binding: Binding, place: Place): Value | undefined {
    const given = place.frame?.valueOf(binding);
    if (given !== undefined || !isConstant(binding)) return given;
    const { origin } = binding;
    const declared: Place = { module: place.module, frame: place.frame?.of(binding.fn) };
    switch (origin.type) {
      case "import":
        return this.#importOf(place.module, origin.specifier, origin.imported);
      case "function":
        return { type: "function", fn: origin.fn, module: declared.module, frame: declared.frame };
      case "init":
        return this.#initial(origin.init, origin.path, declared);
      default:
        return undefined;
    }
  }

  #initial(init: Node, path: PatternPath, place: Place): Value | undefined {
    const [first, ...rest] = path;
    if (typeof first !== "number") return this.#within(this.valueOf(init, place), path);
    let array = unwrap(init);
    let isAwaited = false;
    if (array.type === "AwaitExpression") {
      const call = unwrap(array.argument);
      const all = call.type === "CallExpression" && this.isGlobal(call.callee, "Promise.all", place) ? call : undefined;
      if (all?.arguments[0] === undefined) return undefined;
      array = unwrap(all.arguments[0]);
      isAwaited = true;
    }
    const element = array.type === "ArrayExpression" ? array.elements[first] : undefined;
    if (element == null || element.type === "SpreadElement") return undefined;
    return this.#within(isAwaited ? this.#awaited(unwrap(element), place) : this.valueOf(element, place), rest);
  }

  #within(value: Value | undefined, path: PatternPath): Value | undefined {
    let found = value;
    for (const name of path) found = typeof name === "string" ? this.#member(found, name) : undefined;
    return found;
  }

  #member(value: Value | undefined, name: string): Value | undefined {
    switch (value?.type) {
      case "global":
        return { type: "global", path: GLOBAL_OBJECTS.has(value.path) ? name : `${value.path}.${name}` };
      case "external":
        if (name === "default" && value.path === "") return value;
        return { ...value, path: value.path === "" ? name : `${value.path}.${name}` };
      case "namespace":
        return this.exportOf(value.module, name);
      case "object":
        return this.#property(value, name);
      case "context":
        if (name === OBJECT_STATE) return { type: "variable", awaited: true };
        return CONTEXT_CALLS.has(name) ? { type: "context-method", id: value.id, method: name } : undefined;
      case "called-object":
        return name === "call" ? { type: "context-method", id: value.id, method: OBJECT_CALL } : undefined;
      case "variable":
        return value.awaited && VARIABLE_CHANGES.has(name) ? { type: "variable-method", method: name } : undefined;
      default:
        return undefined;
    }
  }

  #property(object: Value & { readonly type: "object" }, name: string): Value | undefined {
    const member = this.#membersOf(object.node).get(name);
    if (member === undefined) return undefined;
    if (isFunction(member)) return { type: "function", fn: member, module: object.module, frame: object.frame };
    return member.type === "ObjectProperty" ? this.valueOf(member.value, object) : undefined;
  }

  /** Members by name. A name that a later spread may replace is not among them. */
  #membersOf(object: ObjectExpression): ReadonlyMap<string, ObjectMember> {
    const known = this.#members.get(object);
    if (known !== undefined) return known;
    const members = new Map<string, ObjectMember>();
    for (const member of object.properties) {
      if (member.type === "SpreadElement") members.clear();
      else {
        const name = propertyName(member.key, member.computed);
        if (name === undefined) members.clear();
        else members.set(name, member);
      }
    }
    this.#members.set(object, members);
    return members;
  }

  #call(call: CallNode, place: Place): Value | undefined {
    const [first] = call.arguments;
    const member = calledMember(call);
    if (member?.name === "bind") return this.valueOf(member.object, place);
    const callee = this.valueOf(call.callee, place);
    if (callee === undefined) return undefined;
    if (isTransparent(callee)) return first === undefined ? undefined : this.valueOf(first, place);
    if (callee.type === "global" && (callee.path === "require" || callee.path === "process.getBuiltinModule")) {
      const specifier = first === undefined ? undefined : this.valueOf(first, place);
      return specifier?.type === "string" ? this.#importOf(place.module, specifier.text, "*") : undefined;
    }
    if (callee.type === "context-method") {
      if (callee.method === "object") return { type: "called-object", id: callee.id };
      return callee.method === "variable" ? { type: "variable", awaited: false } : undefined;
    }
    if (givesClient(callee, "call")) return { ...callee, path: "" };
    return callee.type === "function" ? this.#returned(callee, call, place) : undefined;
  }

  /** What a function returns that does nothing but return it: `(ctx) => (name) => ctx.step(name, ...)`. */
  #returned(callee: FunctionValue, call: CallNode, place: Place): Value | undefined {
    const { fn, module } = callee;
    const result = fn.async === true || fn.generator === true ? undefined : returnedBy(fn);
    if (result === undefined) return undefined;
    return this.valueOf(result, { module, frame: this.frameOf(callee, this.argumentsOf(call, place)) });
  }

  #awaited(promise: Node, place: Place): Value | undefined {
    if (promise.type === "ImportExpression") {
      const specifier = this.valueOf(promise.source, place);
      return specifier?.type === "string" ? this.#importOf(place.module, specifier.text, "*") : undefined;
    }
    const value = this.valueOf(promise, place);
    return value?.type === "variable" ? { type: "variable", awaited: true } : undefined;
  }

  #importOf(from: SourceModule, specifier: string, imported: string): Value | undefined {
    if (specifier.startsWith(".")) {
      const module = this.#graph.imported(from, specifier);
      if (module === undefined || this.#depth > MAX_DEPTH) return undefined;
      if (imported === "*") return { type: "namespace", module };
      this.#depth += 1;
      try {
        return this.exportOf(module, imported);
      } finally {
        this.#depth -= 1;
      }
    }
    const path = imported === "*" || imported === "default" ? "" : imported;
    return { type: "external", specifier: specifier.replace(/^node:/, ""), path };
  }
}

/** Functions that give back what they are given, or what does the same. */
function isTransparent(callee: Value): boolean {
  if (callee.type === "global") return callee.path === "Object.freeze";
  return callee.type === "external" && callee.specifier === "util" && callee.path === "promisify";
}

/** The expression that a function returns when it has one `return`, as its last statement. */
function returnedBy(fn: FunctionNode): Node | undefined {
  if (fn.body.type !== "BlockStatement") return fn.body;
  const last = fn.body.body.at(-1);
  if (last?.type !== "ReturnStatement" || last.argument == null) return undefined;
  const rest = fn.body.body.slice(0, -1);
  const isSimple = rest.every(({ type }) => type === "VariableDeclaration" || type === "FunctionDeclaration");
  return isSimple ? last.argument : undefined;
}
