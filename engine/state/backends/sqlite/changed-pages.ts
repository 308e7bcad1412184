/** Which pages were written since something that is kept elsewhere was. */
export class ChangedPages {
  private pages: number[] = [];
  private marks: Uint8Array = new Uint8Array(64);

  get count(): number {
    return this.pages.length;
  }

  add(page: number): void {
    if (page >= this.marks.length) {
      const grown = new Uint8Array(Math.max(page + 1, this.marks.length * 2));
      grown.set(this.marks);
      this.marks = grown;
    }
    if (this.marks[page] === 1) return;
    this.marks[page] = 1;
    this.pages.push(page);
  }

  /** In ascending order. */
  sorted(): Uint32Array {
    return Uint32Array.from(this.pages).sort();
  }

  /** Keeps those alone that were written after the generation. */
  keepWrittenAfter(generation: number, writtenIn: (page: number) => number): void {
    const kept: number[] = [];
    for (const page of this.pages) {
      if (writtenIn(page) > generation) kept.push(page);
      else this.marks[page] = 0;
    }
    this.pages = kept;
  }
}
