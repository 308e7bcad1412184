import type { Disk } from "#whitewater/engine/ports/disk.js";
import { DISK_OK } from "#whitewater/engine/ports/disk.js";
import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import { StateStorageError } from "#whitewater/engine/state/state-errors.js";
import type { OrderedStore } from "#whitewater/engine/state/ordered-store.js";
import { PORT_TRACE } from "#whitewater/simulator/trace/kinds.js";
import { died, Machine } from "../../test/simulator/hosts/doomed-machine.ts";
import type { MakeDisk } from "../../test/simulator/hosts/doomed-machine.ts";
import type { ControlRun } from "../control.ts";
import { changeRow, contentsOf, expectedContents, rowsOf } from "./store-subject.ts";
import type { StoreSubject } from "./store-subject.ts";

/** What a broken machine forgets: the fsyncs of files of which this is true, or those of directories. */
export type Forgotten = ((path: string) => boolean) | "directories" | null;

const ROUNDS = 6;
/** More calls than most lives make: some losses strike when nothing is under way. */
const CALLS = 700;

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

/** Writes, flushes, snapshots and compacts until the process dies or the rounds are over. */
function live(store: OrderedStore, rows: Map<string, string>, random: RandomStream, promised: Promised): void {
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
  store.close();
}

/**
 * A few lives of a store, each ended at a disk call that is drawn, most of them by a loss of power: whatever
 * `flush` returned for is there when the store is opened again, or something later that was on its way, and
 * nothing is torn. In one life of four an fsync fails, after which the store may say so, and must not go on as if
 * nothing had happened.
 */
export function powerLossRun(seed: string, subject: StoreSubject, make: MakeDisk, forgotten: Forgotten = null): ControlRun {
  const machine = new Machine(make, seed);
  const { random, kernel } = machine;
  const promised = new Promised();
  const lives = 1 + random.below(3);
  let lostPower = false;
  let wrong: string | null = null;
  for (let life = 0; life <= lives && wrong === null; life++) {
    const isLast = life === lives;
    const port = forgetful(machine.port(), forgotten);
    if (!isLast && random.below(4) === 0) kernel.arm(PORT_TRACE.diskSynced, { kind: "disk-fsync-failure" }, 1 + random.below(12));
    machine.dieAtCall(isLast ? Number.MAX_SAFE_INTEGER : 1 + random.below(CALLS));
    const { struck } = machine;
    const isGone = died(() => {
      let store: OrderedStore | null = null;
      try {
        store = subject.open(port, random);
        const found = contentsOf(store);
        const isPromised = promised.holds(found);
        if (lostPower) promised.mustBe(found);
        if (!isPromised) wrong = `life ${life}: ${found.length} bytes of rows that are no state flushed last`;
        else if (isLast) store.destroy();
        else live(store, rowsOf(found), random, promised);
      } catch (error) {
        if (!(error instanceof StateStorageError)) throw error;
        if (machine.struck === struck) wrong = `life ${life}: ${error.code}, ${error.message}`;
        store?.close();
      }
    });
    if (isGone) subject.abandon(port);
    if (isLast) break;
    lostPower = random.below(4) > 0;
    if (lostPower) machine.powerLoss();
    else machine.restart();
  }
  const left = machine.disk.inspect().filter(({ path }) => path.startsWith("/host/store"));
  if (wrong === null && machine.struck === 0 && left.length > 0) wrong = `${left[0]!.path} is left of a store that was destroyed`;
  const findings = wrong === null ? [] : [{ oracle: "flushed state", message: wrong }];
  return { digest: machine.digest.hex(), findings };
}
