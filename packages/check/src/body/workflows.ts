/** Finds what is to be checked in a file: definitions of workflows and of objects, handlers of objects, and functions that take a WorkflowContext. */
import type { Node } from "@babel/types";
import type { SourceModule } from "../modules/source-module.ts";
import type { CallNode, FunctionNode } from "../syntax/nodes.ts";
import type { Evaluator } from "../values/evaluator.ts";
import type { FunctionValue } from "../values/value.ts";
import { isRaftoral } from "./context-calls.ts";

/** A call of `workflow(type, options, body)`, of `object(type, options, handlers)`, or of `exclusive(handler)` or `shared(handler)`. */
export interface Definition {
  /** Handlers of an object are definitions of their own, wherever they stand. */
  readonly kind: "workflow" | "object" | "handler";
  readonly call: CallNode;
  /** Undefined when the type is not in the source. */
  readonly type: string | undefined;
  /** Undefined when the body is not in a file that can be followed. */
  readonly body: FunctionValue | undefined;
}

/** A function that says by the type of a parameter that it takes a context. */
export interface TypedFunction {
  readonly fn: FunctionValue;
  /** Which parameter. */
  readonly index: number;
}

const BODY_ARGUMENT = 2;
/** Of bodies, and of handlers of objects. */
const CONTEXT_TYPES: ReadonlySet<string> = new Set(["WorkflowContext", "ExclusiveContext", "SharedContext"]);
const KINDS: ReadonlyMap<string, Definition["kind"]> = new Map([
  ["workflow", "workflow"],
  ["object", "object"],
  ["exclusive", "handler"],
  ["shared", "handler"],
]);

/** The workflows, objects and handlers that a file defines, in the order of the source. */
export function definitionsIn(module: SourceModule, evaluator: Evaluator): readonly Definition[] {
  const place = { module, frame: undefined };
  return module.tree.calls.flatMap((call) => {
    const callee = evaluator.valueOf(call.callee, place);
    if (callee?.type !== "external" || !isRaftoral(callee.specifier)) return [];
    const kind = KINDS.get(callee.path);
    if (kind === undefined) return [];
    const argumentOf = evaluator.argumentsOf(call, place);
    const type = kind === "handler" ? undefined : argumentOf(0);
    const body = argumentOf(kind === "handler" ? 0 : BODY_ARGUMENT);
    return [
      {
        kind,
        call,
        type: type?.type === "string" ? type.text : undefined,
        body: body?.type === "function" ? body : undefined,
      },
    ];
  });
}

/** The functions of a file that have a parameter of the type of a context, with the position of the parameter. */
export function typedFunctionsIn(module: SourceModule, evaluator: Evaluator): readonly TypedFunction[] {
  return module.tree.functions.flatMap((fn) => {
    const index = fn.params.findIndex((parameter) => isContextType(annotationOf(parameter), module, evaluator));
    return index === -1 ? [] : [{ fn: { type: "function", fn, module, frame: undefined }, index }];
  });
}

function annotationOf(parameter: FunctionNode["params"][number]): Node | undefined {
  const annotated = parameter.type === "AssignmentPattern" ? parameter.left : parameter;
  const annotation = "typeAnnotation" in annotated ? annotated.typeAnnotation : undefined;
  return annotation?.type === "TSTypeAnnotation" ? annotation.typeAnnotation : undefined;
}

function isContextType(type: Node | undefined, module: SourceModule, evaluator: Evaluator): boolean {
  if (type?.type !== "TSTypeReference") return false;
  const { typeName } = type;
  const root = typeName.type === "TSQualifiedName" ? typeName.left : typeName;
  if (root.type !== "Identifier") return false;
  const value = evaluator.typeOf(root, module);
  if (value?.type !== "external" || !isRaftoral(value.specifier)) return false;
  const path = typeName.type === "TSQualifiedName" ? typeName.right.name : value.path;
  return CONTEXT_TYPES.has(path);
}
