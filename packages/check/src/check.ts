/** From files to a report: every definition in the files is inspected, and comments take findings back. */

import { Findings, locationOf } from "./body/findings.ts";
import { Inspector } from "./body/inspector.ts";
import { definitionsIn, typedFunctionsIn } from "./body/workflows.ts";
import { type DisableComment, DisableComments } from "./disable-comments.ts";
import { CheckError } from "./errors.ts";
import { ModuleGraph, type SourceReader } from "./modules/module-graph.ts";
import type { SourceModule } from "./modules/source-module.ts";
import type { CheckedWorkflow, CheckReport, Finding } from "./report.ts";
import type { FunctionNode } from "./syntax/nodes.ts";
import { tooDeep } from "./syntax/parse.ts";
import { Evaluator } from "./values/evaluator.ts";
import { Keys } from "./values/keys.ts";

/** Checks `paths`. `missing` gives the error for one of them that the reader does not find. */
export function check(
  paths: readonly string[],
  reader: SourceReader,
  missing: (path: string) => CheckError,
): CheckReport {
  const failures: CheckError[] = [];
  const graph = new ModuleGraph(reader, (error) => failures.push(error));
  const checker = new Checker(graph);
  for (const path of paths) {
    const known = failures.length;
    const module = graph.load(path);
    if (module !== undefined) {
      try {
        checker.checkModule(module);
      } catch (error) {
        const failure = error instanceof RangeError ? tooDeep(path, error) : error;
        if (!(failure instanceof CheckError)) throw failure;
        failures.push(failure);
      }
    } else if (failures.length === known && !failures.some((failure) => failure.path === path)) {
      failures.push(missing(path));
    }
  }
  const order = new Map(paths.map((path, at) => [path, at]));
  const place = ({ path }: Finding): number => order.get(path) ?? paths.length;
  const findings = checker
    .findings()
    .toSorted(
      (a, b) =>
        place(a) - place(b) ||
        compare(a.path, b.path) ||
        a.line - b.line ||
        a.column - b.column ||
        compare(a.rule, b.rule),
    );
  return { files: paths, workflows: checker.workflows, findings, failures };
}

class Checker {
  readonly workflows: CheckedWorkflow[] = [];
  readonly #graph: ModuleGraph;
  readonly #keys = new Keys();
  readonly #found = new Findings();
  readonly #modules = new Map<string, SourceModule>();
  /** Functions that were followed, by file. */
  readonly #followed = new Map<SourceModule, Set<FunctionNode>>();

  constructor(graph: ModuleGraph) {
    this.#graph = graph;
  }

  /** Inspects everything that a file defines; a file that was checked before is not checked again. */
  checkModule(module: SourceModule): void {
    if (this.#modules.has(module.path)) return;
    this.#modules.set(module.path, module);
    const evaluator = new Evaluator(this.#graph, this.#keys);
    for (const { kind, call, type, body } of definitionsIn(module, evaluator)) {
      const location = locationOf(call, module);
      const checked = kind === "object" || body !== undefined;
      // A handler that cannot be followed is told of as a body is: its object is checked without it.
      if (kind !== "handler" || !checked)
        this.workflows.push({ ...location, ...(type === undefined ? {} : { type }), checked });
      if (body === undefined) continue;
      const inspector = new Inspector(this.#graph, this.#keys, this.#found, body, type);
      inspector.inspect(0);
      this.#remember(inspector);
    }
    for (const { fn, index } of typedFunctionsIn(module, evaluator)) {
      const found = new Findings();
      const inspector = new Inspector(this.#graph, this.#keys, found, fn, undefined);
      // A function that takes a context and calls nothing of it may as well be a part of a step.
      if (!inspector.inspect(index).callsContext) continue;
      this.#found.addAll(found.all());
      this.#remember(inspector);
    }
  }

  /** What is left after comments took findings back, and what is wrong with the comments. */
  findings(): readonly Finding[] {
    const kept = new Findings();
    const used = new Map<DisableComment, Set<string>>();
    const comments = new Map<string, DisableComments>();
    const commentsOf = (path: string): DisableComments => {
      const module = this.#graph.load(path);
      const known = comments.get(path) ?? new DisableComments(module?.tree.comments ?? []);
      comments.set(path, known);
      return known;
    };
    for (const finding of this.#found.all()) {
      const disabling = commentsOf(finding.path).disabling(finding.rule, finding.line);
      for (const comment of disabling) used.set(comment, (used.get(comment) ?? new Set()).add(finding.rule));
      if (disabling.length === 0) kept.addAll([finding]);
    }
    for (const module of this.#modules.values()) {
      for (const comment of commentsOf(module.path).all) {
        const message = comment.problem ?? this.#unused(comment, used.get(comment), module);
        const { line, column } = comment;
        const details = { message: message ?? "", workflow: undefined, calledFrom: undefined };
        if (message !== undefined) kept.add("disable-comment", { path: module.path, line, column }, details);
      }
    }
    return kept.all();
  }

  /**
   * Only for a line in code that was followed: code that no body of these files reaches may be reached from other files, and
   * findings there may need the comment.
   */
  #unused(
    { rules, target }: DisableComment,
    used: ReadonlySet<string> | undefined,
    module: SourceModule,
  ): string | undefined {
    const unused = rules.filter((rule) => used?.has(rule) !== true);
    if (target === undefined || unused.length === 0) return undefined;
    const isFollowed = [...(this.#followed.get(module) ?? [])].some(
      ({ loc }) => loc != null && loc.start.line <= target && target <= loc.end.line,
    );
    return isFollowed
      ? `Nothing is found on line ${target} for ${unused.join(", ")}; remove it from the comment.`
      : undefined;
  }

  #remember(inspector: Inspector): void {
    for (const { module, fn } of inspector.followed()) {
      const known = this.#followed.get(module);
      if (known === undefined) this.#followed.set(module, new Set([fn]));
      else known.add(fn);
    }
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
