import { invariant } from "../../engine/base/assert.ts";
import { ByteWriter } from "../../engine/base/bytes.ts";
import type { BlobError, BlobReply, BlobStore } from "../../engine/ports/blob-store.ts";
import type { InteractionFault } from "../faults/fault.ts";
import { PORT_TRACE } from "../trace/kinds.ts";
import type { Kernel, Latency, SimProcess } from "../world/kernel.ts";
import { effectAfterUs, failureOf, slownessUs } from "./call-fate.ts";
import type { BlobObserver } from "./service-observers.ts";

/** An object as a person sees it in a paused World. */
export interface BlobSnapshot {
  readonly key: string;
  readonly sizeBytes: number;
}

/**
 * The simulated blob store: one for the whole World, outside every host, never down for good.
 *
 * A put or delete takes effect half-way through its latency, as a step of the outside world: it happens even
 * if the caller is dead by then. Reads look at the store when their reply arrives, which is a moment between
 * call and reply like any other. Calls of one process may overtake each other.
 *
 * What may go wrong: the call is turned away and nothing happens (blob-error, unavailable); it is done but
 * reported as unknown (blob-error, unknown); it is slow (blob-slow); a delete is reported as done long before
 * it is (blob-late-delete), and then removes even what was put under that key in between. What stays true: a
 * put is atomic; once its reply said ok the object is there, whole, until somebody deletes or replaces it;
 * a living caller gets exactly one reply.
 */
export class SimBlobStore {
  readonly #kernel: Kernel;
  readonly #observers: readonly BlobObserver[];
  readonly #objects: Map<string, Uint8Array> = new Map();
  /** Copies what is put; many objects share a buffer, because making one each is slow. */
  readonly #copies: ByteWriter = new ByteWriter(COPIES_BUFFER_BYTES);

  constructor(kernel: Kernel, observers: readonly BlobObserver[]) {
    this.#kernel = kernel;
    this.#observers = observers;
  }

  portFor(process: SimProcess): BlobStore {
    return new BlobStorePort(this.#kernel, this, process);
  }

  /** The bytes of an object, or null; for oracles, without a trace. Not to be changed. */
  peek(key: string): Uint8Array | null {
    return this.#objects.get(key) ?? null;
  }

  /** All keys that start with `prefix`, sorted by UTF-16 code units. */
  keys(prefix = ""): readonly string[] {
    const found: string[] = [];
    for (const key of this.#objects.keys()) if (key.startsWith(prefix)) found.push(key);
    return found.sort();
  }

  /** What it holds now, for a store that goes on from there. */
  keep(): ReadonlyMap<string, Uint8Array> {
    return new Map(this.#objects);
  }

  /** Before anything happened: begins with what another one held. */
  load(objects: ReadonlyMap<string, Uint8Array>): void {
    for (const [key, bytes] of objects) this.#objects.set(key, bytes);
  }

  inspect(): readonly BlobSnapshot[] {
    return this.keys().map((key) => ({ key, sizeBytes: this.#objects.get(key)?.length ?? 0 }));
  }

  copyOf(bytes: Uint8Array): Uint8Array {
    this.#copies.bytes(bytes);
    return this.#copies.take();
  }

  applyPut(process: SimProcess, key: string, bytes: Uint8Array): void {
    this.#kernel.point(null, PORT_TRACE.blobPutApplied, process.subject, checkpointOfKey(key), bytes.length);
    const before = this.peek(key);
    this.#objects.set(key, bytes);
    this.#kernel.foldText(key);
    this.#kernel.foldBytes(bytes);
    for (const observer of this.#observers) observer.onPut?.(process, key, bytes, before);
  }

  applyDelete(process: SimProcess, key: string): void {
    const before = this.peek(key);
    const sizeBytes = before === null ? 0 : before.length;
    this.#kernel.point(null, PORT_TRACE.blobDeleteApplied, process.subject, checkpointOfKey(key), sizeBytes);
    if (before === null) return;
    this.#objects.delete(key);
    this.#kernel.foldText(key);
    for (const observer of this.#observers) observer.onDelete?.(process, key, before);
  }

  putAsked(process: SimProcess, key: string): void {
    for (const observer of this.#observers) observer.onPutAsked?.(process, key);
  }

  deleteAsked(process: SimProcess, key: string): void {
    for (const observer of this.#observers) observer.onDeleteAsked?.(process, key);
  }

  answered(process: SimProcess, call: "put" | "delete", key: string, code: BlobError | null): void {
    for (const observer of this.#observers) observer.onAnswered?.(process, call, key, code);
  }
}

/** The checkpoint a key belongs to ("…/chk-7/…"), or -1. */
export function checkpointOfKey(key: string): number {
  const marker = key.indexOf(CHECKPOINT_MARKER);
  if (marker < 0) return -1;
  let checkpoint = -1;
  for (let at = marker + CHECKPOINT_MARKER.length; at < key.length; at += 1) {
    const digit = key.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    checkpoint = (checkpoint < 0 ? 0 : checkpoint * 10) + digit;
  }
  return checkpoint;
}

const CHECKPOINT_MARKER = "chk-";
const COPIES_BUFFER_BYTES = 32_768;

/** What `y` of a reply's trace point says where it is not a size. */
export const BLOB_REPLIES = { unavailable: -1, unknown: -2, "not-found": -3 } as const;

class BlobStorePort implements BlobStore {
  readonly #kernel: Kernel;
  readonly #store: SimBlobStore;
  readonly #process: SimProcess;
  readonly #putLatency: Latency;
  readonly #getLatency: Latency;
  readonly #deleteLatency: Latency;
  readonly #listLatency: Latency;

  constructor(kernel: Kernel, store: SimBlobStore, process: SimProcess) {
    this.#putLatency = kernel.latency("blobPut", process.name);
    this.#getLatency = kernel.latency("blobGet", process.name);
    this.#deleteLatency = kernel.latency("blobDelete", process.name);
    this.#listLatency = kernel.latency("blobList", process.name);
    this.#kernel = kernel;
    this.#store = store;
    this.#process = process;
  }

  put(key: string, bytes: Uint8Array, done: (reply: BlobReply<null>) => void): void {
    const kernel = this.#kernel;
    const process = this.#process;
    const checkpoint = checkpointOfKey(key);
    const sizeBytes = bytes.length;
    const fault = kernel.enter(process, PORT_TRACE.blobPutIssued, process.subject, checkpoint, sizeBytes);
    const latencyUs = this.#putLatency.us(sizeBytes, fault) + slownessUs(fault);
    this.#store.putAsked(process, key);
    // The caller may use its buffer again while the upload is under way.
    const copy = this.#store.copyOf(bytes);
    const reply = (outcome: BlobReply<null>): void =>
      this.#reply(PORT_TRACE.blobPutReplied, key, checkpoint, outcome, sizeBytes, done);
    this.#change(fault, latencyUs, () => this.#store.applyPut(process, key, copy), reply);
    kernel.leave(process);
  }

  delete(key: string, done: (reply: BlobReply<null>) => void): void {
    const kernel = this.#kernel;
    const process = this.#process;
    const checkpoint = checkpointOfKey(key);
    const fault = kernel.enter(process, PORT_TRACE.blobDeleteIssued, process.subject, checkpoint, 0);
    this.#store.deleteAsked(process, key);
    const latencyUs = this.#deleteLatency.us(0, fault) + slownessUs(fault);
    const reply = (outcome: BlobReply<null>): void =>
      this.#reply(PORT_TRACE.blobDeleteReplied, key, checkpoint, outcome, 0, done);
    const apply = (): void => this.#store.applyDelete(process, key);
    if (fault !== null && fault.kind === "blob-late-delete") {
      kernel.schedule(null, latencyUs + fault.delayUs, apply);
      kernel.schedule(process, latencyUs, () => reply({ ok: true, value: null }));
    } else {
      this.#change(fault, latencyUs, apply, reply);
    }
    kernel.leave(process);
  }

  get(key: string, done: (reply: BlobReply<Uint8Array>) => void): void {
    this.#read(key, this.#store.peek(key)?.length ?? 0, (bytes) => bytes.slice(), done);
  }

  getRange(key: string, offset: number, length: number, done: (reply: BlobReply<Uint8Array>) => void): void {
    invariant(offset >= 0 && length >= 0, "a range begins and ends inside the object or behind it");
    this.#read(key, length, (bytes) => bytes.slice(offset, offset + length), done);
  }

  list(prefix: string, done: (reply: BlobReply<readonly string[]>) => void): void {
    const kernel = this.#kernel;
    const process = this.#process;
    const checkpoint = checkpointOfKey(prefix);
    const fault = kernel.enter(process, PORT_TRACE.blobListed, process.subject, checkpoint, 0);
    const latencyUs = this.#listLatency.us(0, fault) + slownessUs(fault);
    kernel.schedule(process, latencyUs, () => {
      const keys = this.#store.keys(prefix);
      this.#reply(PORT_TRACE.blobListReplied, prefix, checkpoint, replyOf(fault, keys), keys.length, done);
    });
    kernel.leave(process);
  }

  #read(
    key: string,
    expectedBytes: number,
    cut: (bytes: Uint8Array) => Uint8Array,
    done: (reply: BlobReply<Uint8Array>) => void,
  ): void {
    const kernel = this.#kernel;
    const process = this.#process;
    const checkpoint = checkpointOfKey(key);
    const fault = kernel.enter(process, PORT_TRACE.blobGetIssued, process.subject, checkpoint, 0);
    const latencyUs = this.#getLatency.us(expectedBytes, fault) + slownessUs(fault);
    kernel.schedule(process, latencyUs, () => {
      const found = this.#store.peek(key);
      const bytes = found === null ? null : cut(found);
      const outcome: BlobReply<Uint8Array> =
        bytes === null && failureOf(fault) === null
          ? { ok: false, code: "not-found" }
          : replyOf(fault, bytes ?? NO_BYTES);
      this.#reply(PORT_TRACE.blobGetReplied, key, checkpoint, outcome, bytes?.length ?? 0, done);
    });
    kernel.leave(process);
  }

  #change(
    fault: InteractionFault | null,
    latencyUs: number,
    apply: () => void,
    reply: (outcome: BlobReply<null>) => void,
  ): void {
    const kernel = this.#kernel;
    const outcome = replyOf(fault, null);
    if (failureOf(fault) === "refused") {
      kernel.schedule(this.#process, latencyUs, () => reply(outcome));
      return;
    }
    const effectUs = effectAfterUs(latencyUs);
    kernel.schedule(null, effectUs, () => {
      apply();
      kernel.schedule(this.#process, latencyUs - effectUs, () => reply(outcome));
    });
  }

  #reply<T>(
    kind: number,
    key: string,
    checkpoint: number,
    outcome: BlobReply<T>,
    size: number,
    done: (reply: BlobReply<T>) => void,
  ): void {
    const y = outcome.ok ? size : BLOB_REPLIES[outcome.code];
    this.#kernel.point(this.#process, kind, this.#process.subject, checkpoint, y);
    if (kind === PORT_TRACE.blobPutReplied || kind === PORT_TRACE.blobDeleteReplied) {
      const call = kind === PORT_TRACE.blobPutReplied ? "put" : "delete";
      this.#store.answered(this.#process, call, key, outcome.ok ? null : outcome.code);
    }
    done(outcome);
  }
}

const NO_BYTES: Uint8Array = new Uint8Array(0);

/** What the caller is told: `value` unless the fault of the call says otherwise. */
function replyOf<T>(fault: InteractionFault | null, value: T): BlobReply<T> {
  const failure = failureOf(fault);
  if (failure === null) return { ok: true, value };
  return { ok: false, code: failure === "unknown" ? "unknown" : "unavailable" };
}
