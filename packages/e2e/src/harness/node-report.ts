/** What a node's process and the one that started it tell each other, over Node's own channel between the two. */

/** The node takes part; it is `nodeId` of its cluster and answers at `address`. */
export interface ReadyReport {
  readonly type: "ready";
  readonly nodeId: number;
  readonly address: string;
}

/** The node could not start, or stopped because it could not go on. The process ends next. */
export interface FailedReport {
  readonly type: "failed";
  readonly message: string;
}

/** Whatever else its program wants to tell. Structured-cloneable. */
export interface NoteReport<Note> {
  readonly type: "note";
  readonly note: Note;
}

/** What the parent asks the program. Answered once, by the {@link Answer} of the same number. */
export interface Question {
  readonly type: "question";
  readonly number: number;
  /** Structured-cloneable, as the answer is. */
  readonly question: unknown;
}

export interface Answer {
  readonly type: "answer";
  readonly number: number;
  readonly answer: unknown;
}

/** The program could not do what it was asked: what it threw. */
export interface Refusal {
  readonly type: "refusal";
  readonly number: number;
  readonly message: string;
  /** Of a RaftoralError. */
  readonly code: string | undefined;
}

export type NodeReport<Note> = ReadyReport | FailedReport | NoteReport<Note> | Answer | Refusal;
