/**
 * Makes this process known as one that executes workflows, and keeps it so: a node that was taken for lost while it could
 * not be reached registers again as soon as it learns of it.
 */
import { type Cancel, type Clock, type Logger, type NodeId, RaftError, RaftoralError } from "@raftoral/raft-core";
import type { BehaviourLevel } from "../model/runs/run-needs.ts";
import type { TypeVersion } from "../model/type-version.ts";
import type { NodeChanged } from "../state/workflow-event.ts";
import { proposalFailure, type RetryingProposer } from "./engine/retrying-proposer.ts";

/** Options of a {@link NodeRegistration}. */
export interface RegistrationOptions {
  readonly nodeId: NodeId;
  readonly types: readonly TypeVersion[];
  /** Behaviours of the engine that this process has. */
  readonly behaviourLevel: BehaviourLevel;
  /** Whether this process has an archive hook. */
  readonly archives: boolean;
  readonly proposer: RetryingProposer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Never the same twice, over all processes of all nodes. */
  readonly uuid: () => string;
}

/**
 * The registration of one process. It proposes NodeRegister until the state has this process, after each loss again, and stops when the process
 * leaves. A failed proposal is logged and made again after a second.
 */
export class NodeRegistration {
  readonly #options: RegistrationOptions;
  #incarnation: string;
  #first = Promise.withResolvers<void>();
  #state: "registering" | "registered" | "leaving" = "registering";
  #running = false;
  #cancelRetry: Cancel = () => {};

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#incarnation = options.uuid();
    this.#first.promise.catch(() => {});
  }

  /** Of this process, or of its part since it came back. */
  get incarnation(): string {
    return this.#incarnation;
  }

  /** Whether the state has this process as one that executes: only then are its runs this process's to execute. */
  get isRegistered(): boolean {
    return this.#state === "registered";
  }

  /** Resolves with the first registration. */
  get registered(): Promise<void> {
    return this.#first.promise;
  }

  register(): void {
    if (this.#running || this.#state === "leaving") return;
    this.#running = true;
    const { nodeId, types, behaviourLevel, archives, proposer, clock, logger } = this.#options;
    const command = {
      kind: "NodeRegister",
      nodeId,
      incarnation: this.incarnation,
      types,
      behaviourLevel,
      ...(archives ? { archives } : {}),
      atMs: clock.wallMs(),
    } as const;
    proposer.propose(command, { goOn: () => this.#state !== "leaving" }).then(
      () => {
        this.#running = false;
        // Taken for lost again before this was answered.
        if (this.#state === "registering") this.register();
      },
      (error: unknown) => {
        this.#running = false;
        if (this.#state === "leaving") return;
        if (proposalFailure(error) === "stopped") {
          this.#first.reject(error instanceof RaftoralError ? error : new Error(String(error), { cause: error }));
          return;
        }
        logger.error({ err: error }, "this node could not register its workflows; trying again");
        this.#cancelRetry = clock.after(1000, () => this.register());
      },
    );
  }

  /** What the state says of this node. */
  onNodeChanged(event: NodeChanged): void {
    if (event.nodeId !== this.#options.nodeId || this.#state === "leaving") return;
    this.observe(event.incarnation, event.status);
  }

  observe(incarnation: string, status: string): void {
    if (this.#state === "leaving") return;
    if (incarnation === this.incarnation && status === "live") {
      this.#state = "registered";
      this.#first.resolve();
      return;
    }
    // Earlier processes of this node pass by while the log is replayed; only a change after ours concerns us.
    if (this.#state === "registered") {
      this.#state = "registering";
      this.register();
    }
  }

  /** Registers again after {@link leave}, as another: what was proposed about the one that left does not concern it. */
  rejoin(): void {
    if (this.#state !== "leaving") return;
    this.#incarnation = this.#options.uuid();
    this.#first = Promise.withResolvers<void>();
    this.#first.promise.catch(() => {});
    this.#state = "registering";
    this.register();
  }

  /** No registration from now on. */
  leave(): void {
    if (this.#state === "registering") {
      this.#first.reject(
        new RaftError("NODE_STOPPED", "The node was stopped before it had registered. Ask another node.", {
          retryable: true,
        }),
      );
    }
    this.#state = "leaving";
    this.#cancelRetry();
  }
}
