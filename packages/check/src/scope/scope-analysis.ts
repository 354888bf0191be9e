/**
 * Which declaration each name in a file means.
 *
 * S1. Names are resolved after the whole file is read, so that a use before the declaration means the same binding.
 * S2. `var` belongs to the function; `let`, `const`, `class` and functions to the block.
 * S3. Names of types are not declared, except imports: an annotation may mean an import.
 */
import type { Expression, Identifier, Node } from "@babel/types";
import { childrenOf } from "../syntax/children.ts";
import { type FunctionNode, isFunction, isWrapper, propertyName } from "../syntax/nodes.ts";
import type { SyntaxTree } from "../syntax/syntax-tree.ts";
import type { Binding, Origin, PatternPath } from "./binding.ts";
import { Scope } from "./scope.ts";

const UNKNOWN: Origin = { type: "unknown" };

/** Resolves the names of one file (S1 to S3). */
export class ScopeAnalysis {
  /** The names of the module itself. */
  readonly moduleScope = new Scope(undefined, undefined, { holdsVar: true });
  readonly #uses: {
    readonly node: Identifier;
    readonly scope: Scope;
    readonly reads: boolean;
    readonly writes: boolean;
  }[] = [];
  readonly #bindings = new Map<Identifier, Binding>();
  readonly #parameters = new Map<FunctionNode, Binding[]>();

  constructor(tree: SyntaxTree) {
    for (const child of childrenOf(tree.program)) this.#visit(child, this.moduleScope);
    for (const statement of tree.program.body) this.#declareImports(statement);
    for (const { node, scope, reads, writes } of this.#uses) {
      const binding = scope.lookUp(node.name);
      if (binding === undefined) continue;
      this.#bindings.set(node, binding);
      if (reads) binding.reads.push(node);
      if (writes) binding.writes += 1;
    }
  }

  /** The binding that a name means where it is declared or used; undefined for a global name. */
  bindingOf(node: Identifier): Binding | undefined {
    return this.#bindings.get(node);
  }

  /** All names that the parameters of a function declare. */
  parametersOf(fn: FunctionNode): readonly Binding[] {
    return this.#parameters.get(fn) ?? [];
  }

  /** The binding that an annotation's name means, as far as it is one of the module. */
  moduleBinding(name: string): Binding | undefined {
    return this.moduleScope.own(name);
  }

  #declareImports(statement: Node): void {
    if (
      statement.type === "TSImportEqualsDeclaration" &&
      statement.moduleReference.type === "TSExternalModuleReference"
    ) {
      const { expression } = statement.moduleReference;
      this.#declare(this.moduleScope, statement.id, { type: "import", specifier: expression.value, imported: "*" });
    }
    if (statement.type !== "ImportDeclaration") return;
    for (const each of statement.specifiers) {
      let imported = "*";
      if (each.type === "ImportDefaultSpecifier") imported = "default";
      if (each.type === "ImportSpecifier") imported = propertyName(each.imported, false) ?? "";
      this.#declare(this.moduleScope, each.local, { type: "import", specifier: statement.source.value, imported });
    }
  }

  #visit(node: Node, scope: Scope): void {
    if (isFunction(node)) {
      this.#visitFunction(node, scope);
      return;
    }
    switch (node.type) {
      case "Identifier":
        this.#use(node, scope, "read");
        return;
      case "VariableDeclaration":
        for (const { id, init } of node.declarations) {
          const target = node.kind === "var" ? scope.varScope : scope;
          if (init != null) this.#visit(init, scope);
          this.#declarePattern(id as Node, target, scope, (path) =>
            init == null ? UNKNOWN : { type: "init", init, path },
          );
        }
        return;
      case "ClassDeclaration":
      case "ClassExpression": {
        const inner = node.type === "ClassExpression" ? this.#block(scope) : scope;
        if (node.id != null) this.#declare(inner, node.id, UNKNOWN);
        for (const child of childrenOf(node)) if (child !== node.id) this.#visit(child, inner);
        return;
      }
      case "TSEnumDeclaration":
        this.#declare(scope, node.id, UNKNOWN);
        for (const child of childrenOf(node)) if (child !== node.id) this.#visit(child, scope);
        return;
      case "TSModuleDeclaration":
        if (node.id.type === "Identifier") this.#declare(scope, node.id, UNKNOWN);
        for (const child of childrenOf(node)) this.#visit(child, new Scope(scope, scope.fn, { holdsVar: true }));
        return;
      case "CatchClause": {
        const inner = this.#block(scope);
        if (node.param != null) this.#declarePattern(node.param, inner, inner, () => UNKNOWN);
        this.#visit(node.body, inner);
        return;
      }
      case "AssignmentExpression":
        this.#visitTarget(node.left, scope, node.operator === "=" ? "write" : "both");
        this.#visit(node.right, scope);
        return;
      case "UpdateExpression":
        this.#visitTarget(node.argument, scope, "both");
        return;
      case "ForInStatement":
      case "ForOfStatement": {
        const inner = this.#block(scope);
        this.#visit(node.right, scope);
        // What the loop assigns is unknown: the declaration has no initial value.
        if (node.left.type === "VariableDeclaration") this.#visit(node.left, inner);
        else this.#visitTarget(node.left, inner, "write");
        this.#visit(node.body, inner);
        return;
      }
      case "BlockStatement":
      case "ForStatement":
      case "SwitchStatement":
      case "TSModuleBlock":
        this.#visitChildren(node, this.#block(scope));
        return;
      case "StaticBlock":
        this.#visitChildren(node, new Scope(scope, scope.fn, { holdsVar: true }));
        return;
      case "ExportNamedDeclaration":
        // `export { a } from "./b.ts"` names nothing of this module.
        if (node.source == null) this.#visitChildren(node, scope);
        return;
      default:
        this.#visitChildren(node, scope);
    }
  }

  #visitChildren(node: Node, scope: Scope): void {
    for (const child of childrenOf(node)) this.#visit(child, scope);
  }

  #visitFunction(fn: FunctionNode, scope: Scope): void {
    let outer = scope;
    if (fn.type === "FunctionDeclaration" && fn.id != null) this.#declare(scope, fn.id, { type: "function", fn });
    if (fn.type === "FunctionExpression" && fn.id != null) {
      outer = this.#block(scope);
      this.#declare(outer, fn.id, { type: "function", fn });
    }
    if ("key" in fn && "computed" in fn && fn.computed === true) this.#visit(fn.key, scope);
    if ("decorators" in fn) for (const decorator of fn.decorators ?? []) this.#visit(decorator, scope);
    // Two scopes: the default of a parameter does not see what the body declares.
    const parameters = new Scope(outer, fn, { holdsVar: true });
    fn.params.forEach((parameter, index) => {
      const pattern = parameter.type === "TSParameterProperty" ? parameter.parameter : parameter;
      this.#declarePattern(pattern, parameters, parameters, (path) => ({ type: "parameter", fn, index, path }));
    });
    const body = new Scope(parameters, fn, { holdsVar: true });
    if (fn.body.type === "BlockStatement") this.#visitChildren(fn.body, body);
    else this.#visit(fn.body, body);
  }

  /** Declares the names of a pattern in `target`; what the pattern evaluates is in `scope`. */
  #declarePattern(pattern: Node, target: Scope, scope: Scope, originOf: (path: PatternPath) => Origin): void {
    const declare = (node: Node, path: PatternPath | undefined): void => {
      switch (node.type) {
        case "Identifier":
          this.#declare(target, node, path === undefined ? UNKNOWN : originOf(path));
          return;
        case "AssignmentPattern":
          declare(node.left, undefined);
          this.#visit(node.right, scope);
          return;
        case "ObjectPattern":
          for (const property of node.properties) {
            if (property.type === "RestElement") declare(property.argument, undefined);
            else {
              if (property.computed) this.#visit(property.key, scope);
              const name = propertyName(property.key, property.computed);
              declare(property.value, path === undefined || name === undefined ? undefined : [...path, name]);
            }
          }
          return;
        case "ArrayPattern":
          node.elements.forEach((element, index) => {
            if (element !== null) declare(element, path === undefined ? undefined : [...path, index]);
          });
          return;
        case "RestElement":
          declare(node.argument, undefined);
          return;
        default:
          if (isWrapper(node)) declare(node.expression, path);
      }
    };
    declare(pattern, []);
  }

  /** The left side of an assignment. */
  #visitTarget(target: Node, scope: Scope, access: "both" | "write"): void {
    switch (target.type) {
      case "Identifier":
        this.#use(target, scope, access);
        return;
      case "AssignmentPattern":
        this.#visitTarget(target.left, scope, access);
        this.#visit(target.right, scope);
        return;
      case "ObjectPattern":
        for (const property of target.properties) {
          if (property.type === "RestElement") this.#visitTarget(property.argument, scope, access);
          else {
            if (property.computed) this.#visit(property.key, scope);
            this.#visitTarget(property.value, scope, access);
          }
        }
        return;
      case "ArrayPattern":
        for (const element of target.elements) if (element !== null) this.#visitTarget(element, scope, access);
        return;
      case "RestElement":
        this.#visitTarget(target.argument, scope, access);
        return;
      default:
        if (isWrapper(target)) this.#visitTarget(target.expression, scope, access);
        else this.#visit(target, scope);
    }
  }

  #use(node: Identifier, scope: Scope, access: "both" | "read" | "write"): void {
    this.#uses.push({ node, scope, reads: access !== "write", writes: access !== "read" });
  }

  #block(scope: Scope): Scope {
    return new Scope(scope, scope.fn, { holdsVar: false });
  }

  #declare(scope: Scope, id: Identifier, origin: Origin): void {
    const parameter =
      scope.parent?.fn === scope.fn && scope.varScope === scope ? scope.parent?.own(id.name) : undefined;
    if (parameter?.origin.type === "parameter") {
      // `function f(x) { var x; }`: the parameter, which keeps its value unless the `var` has one.
      if (origin.type !== "unknown") parameter.writes += 1;
      this.#bindings.set(id, parameter);
      return;
    }
    const binding: Binding = { name: id.name, origin, fn: scope.fn, declaration: id, reads: [], writes: 0 };
    this.#bindings.set(id, scope.declare(binding));
    if (origin.type !== "parameter") return;
    const parameters = this.#parameters.get(origin.fn);
    if (parameters === undefined) this.#parameters.set(origin.fn, [binding]);
    else parameters.push(binding);
  }
}

/** Whether the value of a binding is that of its origin wherever it is read. */
export function isConstant(binding: Binding): boolean {
  return binding.writes === 0;
}

/** The expression that a binding is initialized with, if all of it goes to the binding. */
export function initOf(binding: Binding): Expression | undefined {
  const { origin } = binding;
  return origin.type === "init" && origin.path.length === 0 ? origin.init : undefined;
}
