import { crc32 } from "#whitewater/engine/base/crc32.js";
import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import type { OrderedStore, StoreFile, StoreFilesSnapshot, StoreView } from "#whitewater/engine/state/ordered-store.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { MemoryDisk } from "../../test/contract/memory-disk.ts";
import { DISKS, Machine } from "../../test/simulator/hosts/doomed-machine.ts";
import type { ArmedFault } from "../../test/simulator/hosts/fake-kernel.ts";
import type { ControlRun } from "../control.ts";
import { bytesOf, changeRow, contentsOf, expectedContents, textOf } from "./store-subject.ts";
import type { Rows, StoreSubject } from "./store-subject.ts";

const STEPS = 400;
/** A read, a write or an fsync up to this one meets a fault. */
const READS = 120;
const WRITES = 40;
const SYNCS = 12;
const READ_LIMIT_BYTES = 200;
const FILE_BITS = 1 << 14;

type Mode = "short reads" | "damage" | "anything";
const MODES: readonly Mode[] = ["short reads", "damage", "anything"];

/** What was read is not what was written. */
class WrongData extends Error {
  override readonly name = "WrongData";
}

function expectSame(found: string | null, expected: string | null, what: string): void {
  if (found !== expected) throw new WrongData(`${what} gives ${String(found).slice(0, 60)}, not ${String(expected).slice(0, 60)}`);
}

/** Faults at disk calls that are drawn. */
function armFaults(machine: Machine, mode: Mode): void {
  const { random, kernel } = machine;
  if (mode !== "damage") {
    for (let i = 1 + random.below(30); i > 0; i--) {
      kernel.arm(PORT_TRACE.diskRead, { kind: "disk-short-read", bytes: 1 + random.below(READ_LIMIT_BYTES) }, 1 + random.below(READS));
    }
  }
  if (mode === "short reads") return;
  for (let i = 1 + random.below(3); i > 0; i--) {
    const [kind, fault, calls] = drawnFault(mode, random);
    kernel.arm(kind, fault, 1 + random.below(calls));
  }
}

function drawnFault(mode: Mode, random: RandomStream): [kind: number, fault: ArmedFault, calls: number] {
  const flip: ArmedFault = { kind: "disk-bit-flip", bit: random.below(FILE_BITS) - (FILE_BITS >> 1) };
  switch (random.below(mode === "damage" ? 4 : 8)) {
    case 0:
      return [PORT_TRACE.diskRead, flip, READS];
    case 1:
      return [PORT_TRACE.diskWritten, flip, WRITES];
    case 2:
      return [PORT_TRACE.diskSynced, flip, SYNCS];
    case 3:
      return [
        PORT_TRACE.diskWritten,
        { kind: "disk-misdirected-write", sectorsAway: random.below(9) - 4, elsewhere: random.below(4) },
        WRITES,
      ];
    case 4:
      return [PORT_TRACE.diskRead, { kind: "disk-error", code: "EIO", partBytes: 0 }, READS];
    case 5:
      return [PORT_TRACE.diskWritten, { kind: "disk-error", code: "ENOSPC", partBytes: random.below(300) }, WRITES];
    case 6:
      return [PORT_TRACE.diskOpened, { kind: "disk-error", code: "EIO", partBytes: 0 }, WRITES];
    default:
      return [PORT_TRACE.diskSynced, { kind: "disk-fsync-failure" }, SYNCS];
  }
}

/** The use that one process makes of a store, with the rows that it should have. */
class StoreUse {
  /** What a store that is opened again may hold. */
  readonly flushed: string[] = [""];
  private readonly subject: StoreSubject;
  private readonly store: OrderedStore;
  private readonly random: RandomStream;
  private readonly rows: Map<string, string> = new Map();
  private readonly shelf: Map<string, StoreFile> = new Map();
  private view: { readonly view: StoreView; readonly rows: Rows } | null = null;
  private snapshot: { readonly snapshot: StoreFilesSnapshot; readonly id: number; readonly rows: Rows } | null = null;
  private snapshots = 0;
  /** Of what was read. */
  checksum = 0;

  constructor(subject: StoreSubject, store: OrderedStore, random: RandomStream) {
    this.subject = subject;
    this.store = store;
    this.random = random;
  }

  step(): void {
    const { store, rows, random } = this;
    const choice = random.below(100);
    if (choice < 55) changeRow(store, rows, random);
    else if (choice < 75) this.readOne();
    else if (choice < 80) this.readRange();
    else if (choice < 90) this.maintain();
    else if (choice < 93) this.flush();
    else if (choice < 96) this.useView();
    else this.useSnapshot();
  }

  end(): void {
    expectSame(contentsOf(this.store), expectedContents(this.rows), "the store");
    this.flush();
    this.view?.view.close();
    this.snapshot?.snapshot.close();
  }

  private readOne(): void {
    const key = `k${this.random.below(100)}`;
    const value = this.store.get(bytesOf(key));
    this.noted(value === null ? null : textOf(value), this.rows.get(key) ?? null, key);
  }

  private readRange(): void {
    const from = `k${this.random.below(100)}`;
    const to = this.random.below(2) === 0 ? null : `k${this.random.below(100)}`;
    this.noted(contentsOf(this.store, from, to), expectedContents(this.rows, from, to), `the range from ${from}`);
  }

  private maintain(): void {
    for (let i = this.random.below(8); i > 0 && this.store.needsMaintenance; i--) this.store.maintain();
  }

  private flush(): void {
    const contents = expectedContents(this.rows);
    this.flushed.push(contents);
    this.store.flush();
    this.flushed.splice(0, this.flushed.length, contents);
  }

  private useView(): void {
    const { view } = this;
    if (view === null) {
      this.view = { view: this.store.view(), rows: new Map(this.rows) };
      return;
    }
    this.noted(contentsOf(view.view), expectedContents(view.rows), "the view");
    view.view.close();
    this.view = null;
  }

  private useSnapshot(): void {
    const { snapshot } = this;
    if (snapshot === null) {
      const id = ++this.snapshots;
      this.flushed.push(expectedContents(this.rows));
      this.snapshot = { snapshot: this.store.snapshotFiles(id), id, rows: new Map(this.rows) };
    } else if (snapshot.snapshot.step(1 + this.random.below(6000)) === 0) {
      this.snapshot = null;
      this.take(snapshot.snapshot.files(), snapshot.rows);
      snapshot.snapshot.close();
      if (this.random.below(2) === 0) this.store.confirm(snapshot.id);
      else this.store.abort(snapshot.id);
    }
  }

  /** What was uploaded is right, wherever it is restored. */
  private take(files: readonly StoreFile[], rows: Rows): void {
    for (const file of files) if (file.bytes !== null) this.shelf.set(file.name, file);
    const whole = files.map(({ name }) => this.shelf.get(name)!);
    const restored = this.subject.open(new MemoryDisk(), this.random);
    restored.restoreFiles(whole);
    this.noted(contentsOf(restored), expectedContents(rows), "a snapshot that was restored");
    restored.destroy();
  }

  private noted(found: string | null, expected: string | null, what: string): void {
    this.checksum = crc32(bytesOf(found ?? "-"), 0, undefined, this.checksum);
    expectSame(found, expected, what);
  }
}

/**
 * A store on a disk that reads short, flips bits, lets writes land elsewhere, and, in a third of the runs, fails
 * outright: every read gives what was written or says that it cannot, and so does whoever opens the store again.
 * Where reads only come short, nothing fails.
 */
export function damageRun(seed: string, subject: StoreSubject): ControlRun {
  const machine = new Machine(DISKS[0]![1], seed);
  const { random } = machine;
  const mode = MODES[random.below(MODES.length)]!;
  const flushed: string[] = [];
  let checksum = 0;
  const opened = (work: (store: OrderedStore) => void): string | null => {
    let store: OrderedStore | null = null;
    let wrong: string | null = null;
    try {
      store = subject.open(machine.port(), random);
      work(store);
    } catch (error) {
      if (error instanceof WrongData) wrong = error.message;
      else if (!(error instanceof StateStorageError)) throw error;
      else if (mode === "short reads") wrong = `${error.code}, ${error.message}`;
    }
    store?.close();
    machine.restart();
    return wrong;
  };
  let wrong = opened((store) => {
    armFaults(machine, mode);
    const use = new StoreUse(subject, store, random);
    try {
      for (let steps = 50 + random.below(STEPS); steps > 0; steps--) use.step();
      use.end();
    } finally {
      flushed.push(...use.flushed);
      checksum = use.checksum;
    }
  });
  wrong ??= opened((store) => {
    const found = contentsOf(store);
    if (!flushed.includes(found)) throw new WrongData("a store that is opened again holds no state flushed last");
    store.destroy();
  });
  machine.digest.fold(checksum);
  const findings = wrong === null ? [] : [{ oracle: "right or refused", message: `${mode}: ${wrong}` }];
  return { digest: machine.digest.hex(), findings };
}
