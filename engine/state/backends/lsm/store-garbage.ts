import type { StoreDisk } from "./store-disk.ts";

interface Piece {
  readonly path: string;
  readonly isDirectory: boolean;
}

/**
 * Files that nothing needs any more. They are removed one at a time, in maintenance, so that closing a view
 * causes no I/O and cannot fail. What a crash leaves of them is removed when the store is opened.
 */
export class StoreGarbage {
  private readonly disk: StoreDisk;
  private readonly pieces: Piece[] = [];
  /** Pieces before it are removed already. */
  private first = 0;

  constructor(disk: StoreDisk) {
    this.disk = disk;
  }

  get isEmpty(): boolean {
    return this.first === this.pieces.length;
  }

  addFile(path: string): void {
    this.pieces.push({ path, isDirectory: false });
  }

  /** Empty by the time everything added before is removed. */
  addDirectory(path: string): void {
    this.pieces.push({ path, isDirectory: true });
  }

  removeOne(): void {
    const piece = this.take();
    if (piece === null) return;
    if (piece.isDirectory) this.disk.removeDirectory(piece.path);
    else this.disk.unlink(piece.path);
  }

  /** As far as the disk lets it, without asking how it went. */
  removeAll(): void {
    for (let piece = this.take(); piece !== null; piece = this.take()) {
      if (piece.isDirectory) this.disk.disk.removeDirectory(piece.path);
      else this.disk.disk.unlink(piece.path);
    }
  }

  private take(): Piece | null {
    const piece = this.pieces[this.first];
    if (piece === undefined) return null;
    this.first += 1;
    if (this.first === this.pieces.length) {
      this.pieces.length = 0;
      this.first = 0;
    }
    return piece;
  }
}
