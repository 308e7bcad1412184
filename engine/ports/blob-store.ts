/** Why a blob call failed. After "unknown" the effect may or may not have happened. */
export type BlobError = "unavailable" | "unknown" | "not-found";
export type BlobReply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly code: BlobError };

/**
 * Remote durable objects, asynchronous.
 *
 * Promises: `put` is atomic (a reader sees the whole object or none) and durable once its reply says ok.
 * Every call gets exactly one reply while the process lives. May go wrong: an error; a reply "unknown"
 * although the effect happened; slow; a `get` that returns fewer bytes than the object holds; a delete
 * that takes effect much later than its reply. The caller must not assume that a failed put left nothing
 * behind, and must check length and checksum of what it reads.
 */
export interface BlobStore {
  put(key: string, bytes: Uint8Array, done: (reply: BlobReply<null>) => void): void;
  get(key: string, done: (reply: BlobReply<Uint8Array>) => void): void;
  getRange(key: string, offset: number, length: number, done: (reply: BlobReply<Uint8Array>) => void): void;
  /** Deleting what is absent is ok. */
  delete(key: string, done: (reply: BlobReply<null>) => void): void;
  /** Keys that start with `prefix`, sorted by UTF-16 code units. */
  list(prefix: string, done: (reply: BlobReply<readonly string[]>) => void): void;
}
