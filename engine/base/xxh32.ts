import { invariant } from "./assert.ts";

/** The five primes of xxHash. */
const P1: number = 0x9e3779b1 | 0;
const P2: number = 0x85ebca77 | 0;
const P3: number = 0xc2b2ae3d | 0;
const P4: number = 0x27d4eb2f | 0;
const P5: number = 0x165667b1 | 0;

/**
 * XXH32 of the bytes [start, end) of a view, as an unsigned 32-bit number: for bytes that are checked so often
 * that CRC-32 would take more time than reading them. Four sums run side by side, and each step of a sum can be
 * undone, so that no damage to one word of four bytes goes unnoticed; of any other, one in 2^32 does.
 */
export function xxh32(view: DataView, start: number, end: number, seed: number): number {
  invariant(start >= 0 && start <= end && end <= view.byteLength, "a checksum covers a range inside its bytes");
  const length = end - start;
  let at = start;
  let sum = (seed + P5) | 0;
  if (length >= 16) {
    let a = (seed + P1 + P2) | 0;
    let b = (seed + P2) | 0;
    let c = seed | 0;
    let d = (seed - P1) | 0;
    for (const last = end - 16; at <= last; at += 16) {
      a = (a + Math.imul(view.getInt32(at, true), P2)) | 0;
      a = Math.imul((a << 13) | (a >>> 19), P1);
      b = (b + Math.imul(view.getInt32(at + 4, true), P2)) | 0;
      b = Math.imul((b << 13) | (b >>> 19), P1);
      c = (c + Math.imul(view.getInt32(at + 8, true), P2)) | 0;
      c = Math.imul((c << 13) | (c >>> 19), P1);
      d = (d + Math.imul(view.getInt32(at + 12, true), P2)) | 0;
      d = Math.imul((d << 13) | (d >>> 19), P1);
    }
    sum = (((a << 1) | (a >>> 31)) + ((b << 7) | (b >>> 25)) + ((c << 12) | (c >>> 20)) + ((d << 18) | (d >>> 14))) | 0;
  }
  sum = (sum + length) | 0;
  for (; at + 4 <= end; at += 4) {
    sum = (sum + Math.imul(view.getInt32(at, true), P3)) | 0;
    sum = Math.imul((sum << 17) | (sum >>> 15), P4);
  }
  for (; at < end; at++) {
    sum = (sum + Math.imul(view.getUint8(at), P5)) | 0;
    sum = Math.imul((sum << 11) | (sum >>> 21), P1);
  }
  sum = Math.imul(sum ^ (sum >>> 15), P2);
  sum = Math.imul(sum ^ (sum >>> 13), P3);
  return (sum ^ (sum >>> 16)) >>> 0;
}

/** A view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
