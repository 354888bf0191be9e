/** What a node's process tells the one that started it, over Node's own channel between the two. */

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

export type NodeReport<Note> = ReadyReport | FailedReport | NoteReport<Note>;
