/** How often each kind of fault was injected. */
export class FaultCounts {
  readonly byKind = new Map<string, number>();

  count(kind: string, times = 1): void {
    this.byKind.set(kind, (this.byKind.get(kind) ?? 0) + times);
  }
}
