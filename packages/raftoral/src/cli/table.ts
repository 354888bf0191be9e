/**
 * Columns of text for people. Numbers to the right, text to the left, two spaces between, no trailing spaces.
 */
import { visible } from "./visible.ts";

/** A column of a table. */
export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Lines of a table with its titles, each ending in a line break. Every row has one cell per column. No cell can break it. */
export function formatTable(columns: readonly Column[], given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map(visible));
  // One after the other: a history may have more rows than a call takes arguments.
  const widths = columns.map(({ title }, at) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(row[at] ?? "")), widthOf(title)),
  );
  const line = (cells: readonly string[]): string =>
    `${cells
      .map((cell, at) => pad(cell, widths[at] ?? 0, columns[at]?.align ?? "left"))
      .join("  ")
      .trimEnd()}\n`;
  return line(columns.map(({ title }) => title)) + rows.map(line).join("");
}

/** Lines of `name: value`, the values below each other. No value can begin a line. */
export function formatFields(fields: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(...fields.map(([name]) => widthOf(name))) + 1;
  return fields
    .map(([name, value]) => `${pad(`${name}:`, width, "left")}  ${visible(value)}`.trimEnd())
    .join("\n")
    .concat("\n");
}

/** Text cut to `width` with an ellipsis, and control characters made visible, so that no value can break a table. */
export function clip(text: string, width: number): string {
  const shown = visible(text);
  const points = [...shown];
  return points.length <= width ? shown : `${points.slice(0, width - 1).join("")}…`;
}

function pad(text: string, width: number, align: "left" | "right"): string {
  const fill = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? fill + text : text + fill;
}

function widthOf(text: string): number {
  return [...text].length;
}
