import type { Disk } from "#whitewater/engine/ports/disk.js";
import { DISK_OK } from "#whitewater/engine/ports/disk.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import type { OrderedStore } from "#whitewater/engine/state/ordered-store.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { died, Machine } from "../../test/simulator/hosts/doomed-machine.ts";
import type { MakeDisk } from "../../test/simulator/hosts/doomed-machine.ts";
import type { ControlRun } from "../control.ts";
import { changeRow, contentsOf, DIRECTORY, expectedContents, rowsOf } from "./store-subject.ts";
import type { StoreSubject } from "./store-subject.ts";

/** What a broken machine forgets: the fsyncs of files of which this is true, or those of directories. */
export type Forgotten = ((path: string) => boolean) | "directories" | null;

const ROUNDS = 6;
/**
 * A life ends at one of so many calls of a kind (null: any), one entry as likely as the other: soon after it began,
 * when little is durable yet; in the middle; when nothing is under way, as most lives make fewer; or around one of
 * the few calls on which everything depends.
 */
const DEATHS: readonly (readonly [calls: number, kind: number | null])[] = [
  [40, null],
  [200, null],
  [700, null],
  [40, PORT_TRACE.diskSynced],
  [15, PORT_TRACE.diskDirectorySynced],
  [40, PORT_TRACE.diskNamed],
];

/** What may be found when the store is opened again. */
class Promised {
  /** Contents of which each may be there. */
  private candidates: string[] = [""];

  /** It may become durable from now on. */
  mayBe(contents: string): void {
    this.candidates.push(contents);
  }

  /** Nothing else may be found from now on. */
  mustBe(contents: string): void {
    this.candidates = [contents];
  }

  holds(contents: string): boolean {
    return this.candidates.includes(contents);
  }
}

/** A disk that forgets one kind of promise. */
function forgetful(disk: Disk, forgotten: Forgotten): Disk {
  if (forgotten === null) return disk;
  const paths = new Map<number, string>();
  const open: Disk["open"] = (path, mode) => {
    const descriptor = disk.open(path, mode);
    paths.set(descriptor, path);
    return descriptor;
  };
  const fsync: Disk["fsync"] = (descriptor) => {
    const isForgotten = forgotten !== "directories" && forgotten(paths.get(descriptor) ?? "");
    return isForgotten ? DISK_OK : disk.fsync(descriptor);
  };
  const fsyncDirectory: Disk["fsyncDirectory"] = (path) => (forgotten === "directories" ? DISK_OK : disk.fsyncDirectory(path));
  const replaced: Partial<Disk> = { open, fsync, fsyncDirectory };
  return new Proxy(disk, {
    get: (target, name) => {
      const value: unknown = Reflect.get(replaced, name) ?? Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** The lives of one store on one machine. */
class Lives {
  readonly machine: Machine;
  private readonly subject: StoreSubject;
  private readonly forgotten: Forgotten;
  private readonly promised: Promised = new Promised();
  private lostPower = false;

  constructor(machine: Machine, subject: StoreSubject, forgotten: Forgotten) {
    this.machine = machine;
    this.subject = subject;
    this.forgotten = forgotten;
  }

  /** A life that ends somewhere; what is wrong, or null. */
  oneMore(): string | null {
    const { machine } = this;
    const { random } = machine;
    if (random.below(4) === 0) machine.kernel.arm(PORT_TRACE.diskSynced, { kind: "disk-fsync-failure" }, 1 + random.below(12));
    const [calls, kind] = DEATHS[random.below(DEATHS.length)]!;
    machine.dieAtCall(1 + random.below(calls), kind);
    const wrong = this.opened((store, found) => this.use(store, rowsOf(found)));
    this.lostPower = random.below(3) > 0;
    if (this.lostPower) machine.powerLoss();
    else machine.restart();
    return wrong;
  }

  /** The last one, which destroys the store; what is wrong, or null. */
  last(): string | null {
    const { machine } = this;
    const wrong = this.opened((store) => store.destroy());
    const left = machine.disk.inspect().find(({ path }) => path.startsWith(DIRECTORY));
    // What was refused by the disk may stay.
    if (wrong !== null || machine.struck > 0 || left === undefined) return wrong;
    return `${left.path} is left of a store that was destroyed`;
  }

  private opened(work: (store: OrderedStore, found: string) => void): string | null {
    const { machine, subject, promised } = this;
    const { struck } = machine;
    const port = forgetful(machine.port(), this.forgotten);
    let wrong: string | null = null;
    const isGone = died(() => {
      let store: OrderedStore | null = null;
      try {
        store = subject.open(port, machine.random);
        const found = contentsOf(store);
        if (!promised.holds(found)) wrong = `${found.length} bytes of rows that are no state flushed last`;
        if (this.lostPower) promised.mustBe(found);
        if (wrong === null) work(store, found);
      } catch (error) {
        if (!(error instanceof StateStorageError)) throw error;
        if (machine.struck === struck) wrong = `${error.code}, ${error.message}`;
      }
      store?.close();
    });
    if (isGone) subject.abandon(port);
    return wrong;
  }

  /** Writes, flushes, snapshots and compacts until the process dies or the rounds are over. */
  private use(store: OrderedStore, rows: Map<string, string>): void {
    const { promised } = this;
    const { random } = this.machine;
    for (let round = 0; round < ROUNDS; round++) {
      for (let i = 10 + random.below(60); i > 0; i--) {
        changeRow(store, rows, random);
        if (random.below(3) === 0 && store.needsMaintenance) store.maintain();
      }
      const contents = expectedContents(rows);
      promised.mayBe(contents);
      if (random.below(4) > 0) {
        store.flush();
        promised.mustBe(contents);
      } else {
        const snapshot = store.snapshotFiles(round);
        while (random.below(4) > 0 && snapshot.step(2000) > 0);
        snapshot.close();
      }
    }
  }
}

/**
 * A few lives of a store, each ended at a disk call that is drawn, two of three by a loss of power: whatever `flush`
 * returned for is there when the store is opened again, or something later that was on its way, and nothing is
 * torn. In one life of four an fsync fails, after which the store may say so, and must not go on as if nothing had
 * happened.
 */
export function powerLossRun(seed: string, subject: StoreSubject, make: MakeDisk, forgotten: Forgotten = null): ControlRun {
  const machine = new Machine(make, seed);
  const lives = new Lives(machine, subject, forgotten);
  let wrong: string | null = null;
  for (let left = 1 + machine.random.below(5); left > 0; left--) wrong ??= lives.oneMore();
  wrong ??= lives.last();
  return { digest: machine.digest.hex(), findings: wrong === null ? [] : [{ oracle: "flushed state", message: wrong }] };
}
