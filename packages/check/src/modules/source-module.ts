/** One parsed file: its tree, its names, and what it exports. */
import type { Expression, Identifier, Node, Statement } from "@babel/types";
import type { Binding } from "../scope/binding.ts";
import { ScopeAnalysis } from "../scope/scope-analysis.ts";
import { type FunctionNode, isFunction, propertyName, unwrap } from "../syntax/nodes.ts";
import { parseScript } from "../syntax/parse.ts";
import { SyntaxTree } from "../syntax/syntax-tree.ts";

/** What an exported name stands for. */
export type Exported =
  | { readonly type: "binding"; readonly binding: Binding }
  | { readonly type: "expression"; readonly node: Expression | FunctionNode }
  | { readonly type: "elsewhere"; readonly specifier: string; readonly imported: string };

/** One module, made of its parsed source. */
export class SourceModule {
  /** As messages name it. */
  readonly path: string;
  readonly tree: SyntaxTree;
  readonly scopes: ScopeAnalysis;
  readonly #exports = new Map<string, Exported>();
  /** Modules of `export * from`. */
  readonly #exportsAllOf: string[] = [];

  /** Throws CheckError for text that cannot be parsed. */
  constructor(path: string, text: string) {
    this.path = path;
    this.tree = new SyntaxTree(parseScript(path, text));
    this.scopes = new ScopeAnalysis(this.tree);
    for (const statement of this.tree.program.body) this.#readExports(statement);
  }

  /** What the module exports as `name`; for a name that only `export *` can give, the modules to ask. */
  exported(name: string): Exported | readonly string[] {
    return this.#exports.get(name) ?? (name === "default" ? [] : this.#exportsAllOf);
  }

  bindingOf(node: Identifier): Binding | undefined {
    return this.scopes.bindingOf(node);
  }

  #readExports(statement: Statement): void {
    switch (statement.type) {
      case "ExportAllDeclaration":
        this.#exportsAllOf.push(statement.source.value);
        return;
      case "ExportDefaultDeclaration": {
        const { declaration } = statement;
        if (declaration.type === "ClassDeclaration" || declaration.type === "TSDeclareFunction") return;
        this.#exports.set("default", { type: "expression", node: declaration });
        return;
      }
      case "ExportNamedDeclaration":
        for (const each of statement.specifiers) {
          const name = propertyName(each.exported, false);
          if (name === undefined) continue;
          if (statement.source != null) {
            const imported = each.type === "ExportSpecifier" ? each.local.name : "*";
            this.#exports.set(name, { type: "elsewhere", specifier: statement.source.value, imported });
          } else if (each.type === "ExportSpecifier") {
            this.#exportBinding(name, each.local.name);
          }
        }
        for (const name of declaredNames(statement.declaration)) this.#exportBinding(name, name);
        return;
      case "ExpressionStatement":
        if (statement.expression.type === "AssignmentExpression") {
          this.#readCommonJs(statement.expression.left, statement.expression.right);
        }
        return;
      default:
    }
  }

  #exportBinding(exported: string, local: string): void {
    const binding = this.scopes.moduleBinding(local);
    if (binding !== undefined) this.#exports.set(exported, { type: "binding", binding });
  }

  /** `exports.a = b`, `module.exports.a = b`, `module.exports = { a: b }`. */
  #readCommonJs(left: Node, right: Expression): void {
    if (left.type !== "MemberExpression") return;
    const name = propertyName(left.property, left.computed);
    if (name === undefined) return;
    if (this.#isExportsObject(left.object)) this.#exports.set(name, { type: "expression", node: right });
    if (left.object.type !== "Identifier" || left.object.name !== "module" || name !== "exports") return;
    this.#exports.set("default", { type: "expression", node: right });
    const value = unwrap(right);
    if (value.type !== "ObjectExpression") return;
    for (const property of value.properties) {
      if (property.type === "SpreadElement") continue;
      const key = propertyName(property.key, property.computed);
      if (key === undefined) continue;
      const node = isFunction(property) ? property : (property.value as Expression);
      this.#exports.set(key, { type: "expression", node });
    }
  }

  #isExportsObject(node: Node): boolean {
    if (node.type === "Identifier") return node.name === "exports" && this.bindingOf(node) === undefined;
    if (node.type !== "MemberExpression" || node.object.type !== "Identifier") return false;
    return node.object.name === "module" && propertyName(node.property, node.computed) === "exports";
  }
}

function declaredNames(declaration: Node | null | undefined): string[] {
  if (declaration == null) return [];
  if (declaration.type === "FunctionDeclaration" && declaration.id != null) return [declaration.id.name];
  if (declaration.type !== "VariableDeclaration") return [];
  return declaration.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
}
