import { deepEqual, equal, ok } from "node:assert/strict";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import type { Key, Namespace, Timer, TimerDomain } from "#whitewater/engine/state/state.js";
import { expectBytes, maintainFully, pollAll, text } from "./backend-under-test.ts";
import type { BackendUnderTest } from "./backend-under-test.ts";
import { FLEET_TTL_MS, Fleet } from "./fleet.ts";
import type { BoundStates, FleetSnapshot, SavedPieces } from "./fleet.ts";
import { StateModel } from "./state-model.ts";
import type { Stamped } from "./state-model.ts";

interface Place {
  readonly key: number;
  readonly namespace: number;
}

/** Plain data that shrinks: places and things are small numbers. */
export type Operation =
  | ({ readonly kind: PlaceKind; readonly item: number } & Place)
  | ({ readonly kind: "register" | "unregister"; readonly item: number; readonly domain: number } & Place)
  | { readonly kind: "poll"; readonly domain: number; readonly item: number }
  | { readonly kind: "watermark" | "pass-time" | "maintain"; readonly item: number }
  | { readonly kind: "begin"; readonly canonical: boolean }
  | { readonly kind: "step" | "finish" | "cancel"; readonly flight: number; readonly item: number }
  | { readonly kind: "complete" | "abort"; readonly saved: number }
  | { readonly kind: "crash"; readonly saved: number; readonly parallelism: number };

type PlaceKind =
  | "update" | "clear-value"
  | "add" | "add-all" | "replace" | "clear-list"
  | "put" | "remove" | "clear-map"
  | "fold" | "clear-folds" | "merge"
  | "ttl-write" | "ttl-read" | "ttl-clear";

const KEYS: readonly Key[] = [0, ["a", 1], "a", 1, "b", 1n, 2, true];
const NAMESPACES: readonly Namespace[] = ["", 0, "w"];

interface Flight {
  readonly id: number;
  readonly canonical: boolean;
  readonly model: StateModel;
  readonly parts: readonly FleetSnapshot[];
}

interface Saved {
  readonly id: number;
  readonly canonical: boolean;
  readonly model: StateModel;
  /** By fleet. */
  readonly pieces: readonly SavedPieces[];
  /** Attempt that took it. */
  readonly attempt: number;
  settled: boolean;
}

/** One job on every backend at once, and the plain model that all of them must agree with. */
export class LockStep {
  private readonly fleets: readonly Fleet[];
  private readonly folds: boolean;
  private readonly merging: boolean;
  private readonly ttl: boolean;
  private model: StateModel = new StateModel();
  private flights: Flight[] = [];
  private readonly saved: Saved[] = [];
  private lastId = 0;
  private attempt = 0;
  private nowMs = 0;

  constructor(subjects: readonly BackendUnderTest[]) {
    this.folds = subjects.every(({ capabilities }) => capabilities.folds);
    this.merging = this.folds && subjects.every(({ capabilities }) => capabilities.merging);
    this.ttl = subjects.every(({ capabilities }) => capabilities.ttl);
    this.fleets = subjects.map((subject) => new Fleet(subject, { folds: this.folds, ttl: this.ttl }));
  }

  apply(operation: Operation): void {
    switch (operation.kind) {
      case "register":
      case "unregister":
        return this.changeTimer(operation.kind === "register", operation.domain as TimerDomain, {
          key: KEYS[operation.key]!,
          namespace: NAMESPACES[operation.namespace]!,
          timestampMs: operation.item,
        });
      case "poll":
        return this.poll(operation.domain as TimerDomain, operation.item);
      case "watermark":
        this.model.watermarkMs = operation.item;
        return this.fleets.forEach((fleet) => fleet.all().forEach((backend) => (backend.watermarkMs = operation.item)));
      case "pass-time":
        this.nowMs += operation.item;
        return this.fleets.forEach((fleet) => (fleet.host.nowMs = this.nowMs));
      case "maintain":
        return this.maintain();
      case "begin":
        return this.begin(operation.canonical);
      case "step":
      case "finish":
      case "cancel":
        return this.proceed(operation.kind, operation.flight, operation.item);
      case "complete":
      case "abort":
        return this.settle(operation.kind === "complete", operation.saved);
      case "crash":
        return this.crash(operation.saved, operation.parallelism);
      default:
        this.change(operation.kind, KEYS[operation.key]!, NAMESPACES[operation.namespace]!, operation.item);
        return this.read(KEYS[operation.key]!, NAMESPACES[operation.namespace]!);
    }
  }

  /** Finishes what is under way, and compares everything. */
  end(): void {
    while (this.flights.length > 0) this.proceed("finish", 0, 1);
    this.begin(true);
    this.proceed("finish", 0, 1);
    this.compare();
    for (const fleet of this.fleets) {
      fleet.start(0, null);
      deepEqual([fleet.subject.name, fleet.host.disk.paths(), fleet.host.disk.openDescriptors], [fleet.subject.name, [], 0]);
    }
  }

  /** CRC-32 over all that was saved. */
  checksum(): number {
    let sum = 0;
    for (const { pieces } of this.saved) {
      for (const piece of pieces) {
        const all = "sections" in piece ? piece.sections : piece.files.flat().map(({ checksum }) => Uint32Array.of(checksum));
        for (const one of all) sum = crc32(new Uint8Array(one.buffer, one.byteOffset, one.byteLength), 0, undefined, sum);
      }
    }
    return sum;
  }

  private compare(): void {
    const expected = this.model.contents();
    for (const fleet of this.fleets) deepEqual([fleet.subject.name, fleet.contents()], [fleet.subject.name, expected]);
  }

  private each(key: Key, namespace: Namespace, work: (states: BoundStates) => void): void {
    for (const fleet of this.fleets) work(fleet.at(key, namespace));
  }

  private change(kind: PlaceKind, key: Key, namespace: Namespace, item: number): void {
    if (kind === "merge") return this.merge(key, namespace, item);
    if (kind.startsWith("ttl")) return this.changeTtl(kind, key, namespace, item);
    if (kind === "fold" || kind === "clear-folds") return this.fold(kind === "fold", key, namespace, item);
    if (kind === "put" || kind === "remove" || kind === "clear-map") return this.changeMap(kind, key, namespace, item);
    const list = this.model.get<readonly number[]>("list", key, namespace) ?? [];
    switch (kind) {
      case "update":
      case "clear-value":
        this.model.set("value", key, namespace, kind === "update" ? item : null);
        return this.each(key, namespace, ({ value }) => value.state.update(kind === "update" ? item : null));
      case "add":
        this.model.set("list", key, namespace, [...list, item]);
        return this.each(key, namespace, (states) => states.list.state.add(item));
      case "add-all":
        this.model.set("list", key, namespace, [...list, item, item + 1]);
        return this.each(key, namespace, (states) => states.list.state.addAll([item, item + 1]));
      case "replace":
        this.model.set("list", key, namespace, item === 0 ? [] : [item]);
        return this.each(key, namespace, (states) => states.list.state.update(item === 0 ? [] : [item]));
      default:
        this.model.set("list", key, namespace, null);
        return this.each(key, namespace, (states) => states.list.state.clear());
    }
  }

  private changeMap(kind: "put" | "remove" | "clear-map", key: Key, namespace: Namespace, item: number): void {
    const entries = new Map(this.model.get<readonly [number, number][]>("map", key, namespace) ?? []);
    if (kind === "put") entries.set(item % 4, item);
    else if (kind === "remove") entries.delete(item % 4);
    else entries.clear();
    this.model.set("map", key, namespace, [...entries]);
    this.each(key, namespace, ({ map }) => {
      if (kind === "put") map.state.put(item % 4, item);
      else if (kind === "remove") map.state.remove(item % 4);
      else map.state.clear();
    });
  }

  private fold(isAdd: boolean, key: Key, namespace: Namespace, item: number): void {
    if (!this.folds) return;
    const words = this.model.get<string>("reducing", key, namespace);
    const all = this.model.get<readonly number[]>("aggregating", key, namespace) ?? [];
    this.model.set("reducing", key, namespace, isAdd ? `${words ?? ""}${item}` : null);
    this.model.set("aggregating", key, namespace, isAdd ? [...all, item] : null);
    this.each(key, namespace, ({ reducing, aggregating }) => {
      if (isAdd) reducing!.state.add(String(item));
      else reducing!.state.clear();
      if (isAdd) aggregating!.state.add(item);
      else aggregating!.state.clear();
    });
  }

  private merge(key: Key, target: Namespace, item: number): void {
    if (!this.merging) return;
    const others = NAMESPACES.filter((one) => one !== target);
    const sources = item % 3 === 0 ? others : item % 3 === 1 ? others.reverse() : [others[0]!];
    for (const state of ["list", "reducing", "aggregating"]) {
      let merged = this.model.get<string | readonly number[]>(state, key, target);
      for (const source of sources) {
        const more = this.model.get<string | readonly number[]>(state, key, source);
        if (more === null) continue;
        this.model.set(state, key, source, null);
        if (merged === null) merged = more;
        else if (typeof more === "string") merged = (merged as string) + more;
        else merged = [...(merged as readonly number[]), ...more];
      }
      this.model.set(state, key, target, merged);
    }
    this.each(key, target, ({ list, reducing, aggregating }) => {
      for (const bound of [list, reducing!, aggregating!]) bound.mergeNamespaces(target, sources);
    });
    for (const source of sources) this.read(key, source);
  }

  private changeTtl(kind: string, key: Key, namespace: Namespace, item: number): void {
    if (!this.ttl) return;
    const isClear = kind === "ttl-clear";
    if (kind !== "ttl-read") {
      const stamped: Stamped = [this.nowMs, item];
      const entries = new Map(this.live<readonly [number, Stamped]>("ttl map", key, namespace, ([, one]) => one));
      entries.set(item % 4, stamped);
      const elements = this.live<Stamped>("ttl list", key, namespace, (one) => one);
      this.model.set("ttl value", key, namespace, isClear ? null : stamped);
      this.model.set("ttl list", key, namespace, isClear ? null : [...elements, stamped]);
      this.model.set("ttl map", key, namespace, isClear ? null : [...entries]);
      this.each(key, namespace, ({ ttlValue, ttlList, ttlMap }) => {
        if (isClear) for (const bound of [ttlValue!, ttlList!, ttlMap!]) bound.state.clear();
        else {
          ttlValue!.state.update(item);
          ttlList!.state.add(item);
          ttlMap!.state.put(item % 4, item);
        }
      });
    }
    const stamped = this.model.get<Stamped>("ttl value", key, namespace);
    const value = stamped === null || this.isExpired(stamped) ? null : stamped[1];
    const elements = this.live<Stamped>("ttl list", key, namespace, (one) => one).map(([, one]) => one);
    const entries = this.live<readonly [number, Stamped]>("ttl map", key, namespace, ([, one]) => one).map(([one, [, kept]]) => [one, kept]);
    this.expectAll([value, elements, entries], key, namespace, ({ ttlValue, ttlList, ttlMap }) => [
      ttlValue!.state.value(),
      ttlList!.state.get(),
      ttlMap!.state.entries(),
    ]);
  }

  private isExpired([lastUpdateMs]: Stamped): boolean {
    return this.nowMs >= lastUpdateMs + FLEET_TTL_MS;
  }

  /** Elements or entries that are not expired. */
  private live<T>(state: string, key: Key, namespace: Namespace, stampOf: (one: T) => Stamped): readonly T[] {
    return (this.model.get<readonly T[]>(state, key, namespace) ?? []).filter((one) => !this.isExpired(stampOf(one)));
  }

  private read(key: Key, namespace: Namespace): void {
    const map = this.model.get<readonly [number, number][]>("map", key, namespace) ?? [];
    const list = this.model.get<readonly number[]>("list", key, namespace) ?? [];
    const of = new Map(map);
    const expected = [this.model.get("value", key, namespace), list, map, map.length === 0, of.get(1) ?? null, of.has(2)];
    this.expectAll(expected, key, namespace, ({ value, list: elements, map: entries }) => [
      value.state.value(),
      elements.state.get(),
      entries.state.entries(),
      entries.state.isEmpty(),
      entries.state.get(1),
      entries.state.contains(2),
    ]);
    if (!this.folds) return;
    const all = this.model.get<readonly number[]>("aggregating", key, namespace);
    const folded = [this.model.get("reducing", key, namespace), all === null ? null : all.join("+")];
    this.expectAll(folded, key, namespace, ({ reducing, aggregating }) => [reducing!.state.get(), aggregating!.state.get()]);
  }

  private expectAll(expected: readonly unknown[], key: Key, namespace: Namespace, read: (states: BoundStates) => readonly unknown[]): void {
    for (const fleet of this.fleets) {
      deepEqual([fleet.subject.name, ...read(fleet.at(key, namespace))], [fleet.subject.name, ...expected]);
    }
  }

  private changeTimer(isRegister: boolean, domain: TimerDomain, timer: Timer): void {
    if (isRegister) this.model.register(domain, timer);
    else this.model.remove(domain, timer);
    for (const fleet of this.fleets) {
      const timers = fleet.ownerOf(timer.key).timers();
      if (isRegister) timers.register(domain, timer.namespace, timer.timestampMs);
      else timers.remove(domain, timer.namespace, timer.timestampMs);
      const count = fleet.all().reduce((sum, backend) => sum + backend.timers().size(domain), 0);
      deepEqual([fleet.subject.name, count], [fleet.subject.name, this.model.timerCount(domain)]);
    }
  }

  /** Ties come in any order, in every backend; so all that is due comes at once, and ties are sorted. */
  private poll(domain: TimerDomain, upToMs: number): void {
    const due = this.model.due(domain, upToMs).map(text).sort();
    for (const fleet of this.fleets) {
      const fired = fleet.all().flatMap((backend) => {
        const timers = pollAll(backend, domain, upToMs);
        for (let i = 1; i < timers.length; i++) {
          ok(timers[i]!.timestampMs >= timers[i - 1]!.timestampMs, "timers come in the order of their times");
        }
        return timers;
      });
      deepEqual([fleet.subject.name, fired.map(text).sort()], [fleet.subject.name, due]);
    }
  }

  private maintain(): void {
    for (const fleet of this.fleets) {
      for (const backend of fleet.all()) if (backend.needsMaintenance) backend.maintain();
    }
  }

  private begin(canonical: boolean): void {
    const id = ++this.lastId;
    const parts = this.fleets.map((fleet) => fleet.begin(id, canonical));
    this.flights.push({ id, canonical, model: this.model.copy(), parts });
  }

  private proceed(kind: "step" | "finish" | "cancel", index: number, item: number): void {
    const flight = this.flights[index];
    if (flight === undefined) return;
    if (kind === "step") return flight.parts.forEach((part) => part.step(1 + (item % 3)));
    this.flights.splice(index, 1);
    if (kind === "cancel") {
      flight.parts.forEach((part) => part.cancel());
      return this.fleets.forEach((fleet) => fleet.abort(flight.id));
    }
    const pieces = flight.parts.map((part) => part.finish());
    const { id, canonical, model } = flight;
    this.saved.push({ id, canonical, model, pieces, attempt: this.attempt, settled: canonical });
    if (canonical) this.compareSections(pieces);
  }

  private compareSections(pieces: readonly SavedPieces[]): void {
    const [first, ...others] = pieces.map((one) => ("sections" in one ? one.sections : []));
    others.forEach((sections, index) => {
      equal(sections.length, first!.length);
      try {
        sections.forEach((section, subtask) => expectBytes(section, first![subtask]));
      } catch (error) {
        throw new Error(`${this.fleets[index + 1]!.subject.name} writes another section`, { cause: error });
      }
    });
  }

  /** A checkpoint of this attempt completes or is aborted. */
  private settle(isComplete: boolean, index: number): void {
    const saved = this.saved.filter((one) => !one.settled && one.attempt === this.attempt)[index];
    if (saved === undefined) return;
    saved.settled = true;
    this.fleets.forEach((fleet, at) => {
      if (isComplete) fleet.complete(saved.id, saved.pieces[at]!);
      else fleet.abort(saved.id);
    });
  }

  /** The attempt is over; the next one begins with something saved, or with nothing. */
  private crash(index: number, parallelism: number): void {
    for (const { parts } of this.flights) for (const part of parts) part.cancel();
    this.flights = [];
    this.attempt++;
    const saved = this.saved.at(-1 - index);
    this.model = saved?.model.copy() ?? new StateModel();
    this.fleets.forEach((fleet, at) => {
      fleet.start(parallelism, saved?.pieces[at] ?? null);
      for (const backend of fleet.all()) if (this.lastId % 5 === 4) maintainFully(backend);
    });
    this.compare();
  }
}
