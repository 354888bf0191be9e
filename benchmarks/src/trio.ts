/** Three processes that form a Raftoral cluster, the usual way: one bootstraps, two join. */
import { Child } from "./child-process.ts";

/** What each process runs, and what its `start` gets beside folder, name and whom to join. */
export interface TrioProgram {
  readonly module: string;
  readonly settings?: object;
}

const WORKFLOWS: TrioProgram = { module: "./nodes/workflow-node.ts" };

/** A cluster of three processes. Disposing it ends them. */
export class Trio {
  readonly #folder: string;
  readonly #name: string;
  readonly #program: TrioProgram;
  readonly #children: Child[] = [];
  readonly #addresses: string[] = [];

  private constructor(folder: string, name: string, program: TrioProgram) {
    this.#folder = folder;
    this.#name = name;
    this.#program = program;
  }

  static async start(folder: string, name: string, program: TrioProgram = WORKFLOWS): Promise<Trio> {
    const trio = new Trio(folder, name, program);
    try {
      for (const at of [0, 1, 2]) await trio.#startChild(at);
      return trio;
    } catch (error) {
      await trio[Symbol.asyncDispose]();
      throw error;
    }
  }

  child(at: number): Child {
    const child = this.#children[at];
    if (child === undefined) throw new Error(`there is no process ${at}`);
    return child;
  }

  /** Starts a killed process again, on its folder, at a new address. */
  async restart(at: number): Promise<void> {
    await this.child(at).kill();
    await this.#startChild(at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#children.map((child) => child.kill()));
  }

  async #startChild(at: number): Promise<void> {
    const child = new Child(this.#program.module);
    this.#children[at] = child;
    const other = this.#addresses.find((_, index) => index !== at);
    this.#addresses[at] = await child.call<string>("start", {
      folder: this.#folder,
      name: `${this.#name}-${at}`,
      ...this.#program.settings,
      ...(other === undefined ? {} : { join: other }),
    });
  }
}
