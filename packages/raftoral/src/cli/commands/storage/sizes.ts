/** Bytes for people: three digits or so, with a unit. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1_000;
  let unit = 0;
  while (value >= 1_000 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value.toFixed(value < 100 ? 1 : 0)} ${units[unit]}`;
}

/** How many blobs, and their bytes. */
export function blobsText({ blobs, bytes }: { readonly blobs: number; readonly bytes: number }): string {
  return blobs === 0 ? "none" : `${blobs} ${blobs === 1 ? "blob" : "blobs"}, ${formatBytes(bytes)}`;
}
