/**
 * Messages, entries and Ready as text, in the form of etcd/raft's scripts: compact, exact, and the same on every run.
 *
 * Role: text only, for people who follow the messages between nodes.
 */
import { decodeConfChange, decodeConfChangeV2 } from "../../eraftpb/conf-change.ts";
import { LOCAL_APPEND_THREAD, LOCAL_APPLY_THREAD, type Message } from "../../message.ts";
import type { ReadState } from "../../raft/read-index.ts";
import type { Ready } from "../../ready.ts";
import { type ConfState, type Entry, type HardState, NONE, type NodeId, type Snapshot } from "../../types.ts";
import { describeConfChanges } from "../datadriven/conf-change-tokens.ts";
import { quote } from "./quote.ts";

/** `1/4 EntryNormal "foo"`. */
export function describeEntry(entry: Entry): string {
  const payload = describePayload(entry);
  return `${entry.term}/${entry.index} ${entry.type}${payload === "" ? "" : ` ${payload}`}`;
}

function describePayload({ type, data }: Entry): string {
  if (type === "EntryNormal") return quote(data);
  if (type === "EntryConfChangeV2") return describeConfChanges(decodeConfChangeV2(data).changes);
  return describeConfChanges([decodeConfChange(data)]);
}

/** One line for each entry. */
export function describeEntries(entries: readonly Entry[]): string {
  return entries.map((entry) => `${describeEntry(entry)}\n`).join("");
}

/** `Voters:[1 2] VotersOutgoing:[] Learners:[] LearnersNext:[] AutoLeave:false`. */
export function describeConfState(state: ConfState): string {
  return (
    `Voters:${list(state.voters)} VotersOutgoing:${list(state.votersOutgoing)} ` +
    `Learners:${list(state.learners)} LearnersNext:${list(state.learnersNext)} AutoLeave:${state.autoLeave}`
  );
}

/** `Index:5 Term:1 ConfState:...`, without the content. */
export function describeSnapshot({ metadata }: Snapshot): string {
  return `Index:${metadata.index} Term:${metadata.term} ConfState:${describeConfState(metadata.confState)}`;
}

/** `Term:1 Vote:1 Commit:5`, without a vote of NONE. */
export function describeHardState({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === NONE ? "" : ` Vote:${vote}`} Commit:${commit}`;
}

/** A message with all its fields, without a line feed at the end. Every line begins with `indent`. */
export function describeMessage(m: Message, indent = ""): string {
  let text = `${indent}${target(m.from)}->${target(m.to)} ${m.type} Term:${m.term} Log:${m.logTerm}/${m.index}`;
  if (m.reject) text += ` Rejected (Hint: ${m.rejectHint})`;
  if (m.commit !== 0) text += ` Commit:${m.commit}`;
  if (m.vote !== NONE) text += ` Vote:${m.vote}`;
  const [first] = m.entries;
  if (m.entries.length === 1 && first !== undefined) text += ` Entries:[${describeEntry(first)}]`;
  else if (m.entries.length > 1) {
    const lines = m.entries.map((entry) => `\n${indent}  ${describeEntry(entry)}`);
    text += ` Entries:[${lines.join("")}\n${indent}]`;
  }
  if (!isEmptySnapshot(m.snapshot)) text += `\n${indent}  Snapshot: ${describeSnapshot(m.snapshot)}`;
  if (m.responses.length > 0) {
    const lines = m.responses.map((response) => `\n${describeMessage(response, `${indent}  `)}`);
    text += ` Responses:[${lines.join("")}\n${indent}]`;
  }
  return text;
}

/** A Ready, line by line, or `<empty Ready>` without a line feed. */
export function describeReady(ready: Ready): string {
  const { softState, hardState, readStates, entries, snapshot, committedEntries, messages } = ready;
  let text = "";
  if (softState !== undefined) text += `Lead:${softState.lead} State:${softState.role}\n`;
  if (hardState !== undefined) text += `HardState ${describeHardState(hardState)}\n`;
  if (readStates.length > 0) text += `ReadStates ${list(readStates.map(describeReadState))}\n`;
  if (entries.length > 0) text += `Entries:\n${describeEntries(entries)}`;
  if (!isEmptySnapshot(snapshot)) text += `Snapshot ${describeSnapshot(snapshot)}\n`;
  if (committedEntries.length > 0) text += `CommittedEntries:\n${describeEntries(committedEntries)}`;
  if (messages.length > 0) text += `Messages:\n${messages.map((m) => `${describeMessage(m)}\n`).join("")}`;
  return text === "" ? "<empty Ready>" : `Ready MustSync=${ready.mustSync}:\n${text}`;
}

/** Whether there is no snapshot, or one at index 0. */
export function isEmptySnapshot(snapshot: Snapshot | undefined): snapshot is undefined {
  return snapshot === undefined || snapshot.metadata.index === 0;
}

function describeReadState({ index, context }: ReadState): string {
  return `{${index} ${list([...context])}}`;
}

function target(id: NodeId): string {
  if (id === NONE) return "None";
  if (id === LOCAL_APPEND_THREAD) return "AppendThread";
  return id === LOCAL_APPLY_THREAD ? "ApplyThread" : id.toString(16);
}

function list(items: readonly (string | number)[]): string {
  return `[${items.join(" ")}]`;
}
