import { NO_TIMESTAMP } from "../../engine/base/units.ts";
import type { WindowNode } from "../../engine/graph/stream-graph.ts";
import { PASSAGE, type Passage } from "../../simulator/timetravel/record-passages.ts";
import type { RecordIndex } from "../../simulator/timetravel/record-index.ts";

/** Records that are followed, of those derived from one. */
const FOLLOWED = 24;
/** What timers of a process function emit later for the key of a record, as far as it is followed. */
const BY_TIMER = 3;

/** A record with the part of its passages that is meant: its id may be given again in a later attempt. */
export interface Followed {
  readonly id: number;
  /** The record that it was made from; null for the one that is asked for. */
  readonly from: number | null;
  readonly passages: readonly Passage[];
}

/**
 * A record, and what was derived from it: results of the windows that it was added to, what process functions emitted
 * for it, and the next that their timers emitted for its key. Bounded; `isCut` says whether there is more.
 */
export function follow(id: number, index: RecordIndex): { readonly followed: readonly Followed[]; readonly isCut: boolean } {
  const emissions = index.passages.emissions();
  const followed: Followed[] = [{ id, from: null, passages: index.passages.of(id) }];
  const seen = new Set<string>();
  for (let at = 0; at < followed.length; at += 1) {
    const parent = followed[at] as Followed;
    const parentage = new Parentage(parent, index);
    for (const emission of emissions) {
      const name = `${emission.id}@${emission.step}`;
      if (!parentage.has(emission) || seen.has(name)) continue;
      if (followed.length > FOLLOWED) return { followed, isCut: true };
      seen.add(name);
      followed.push({ id: emission.id, from: parent.id, passages: passagesFrom(emission, index) });
    }
  }
  return { followed, isCut: false };
}

/** From that emission until its id is given again. */
function passagesFrom({ id, step, place }: Passage, { passages }: RecordIndex): readonly Passage[] {
  const all = passages.of(id);
  const first = all.findIndex((one) => isEmission(one) && one.step === step && one.place === place);
  const next = all.findIndex((one, at) => at > first && isEmission(one));
  return all.slice(first, next < 0 ? all.length : next);
}

export function isEmission({ what }: Passage): boolean {
  return what === PASSAGE.emittedByWindow || what === PASSAGE.emittedForRecord || what === PASSAGE.emittedByTimer;
}

/** What was derived from one record. */
class Parentage {
  readonly #id: number;
  readonly #passages: readonly Passage[];
  readonly #windows: ReadonlyMap<string, WindowNode>;
  readonly #timestampMs: number | null;
  /** By uid of a process function: how often a timer emitted. */
  readonly #byTimer: Map<string, number> = new Map();

  constructor({ id, passages }: Followed, index: RecordIndex) {
    this.#id = id;
    this.#passages = passages;
    this.#windows = new Map(index.graph.nodes.flatMap((node) => (node.kind === "window" ? [[node.uid, node]] : [])));
    this.#timestampMs = timestampOf(id, passages, index);
  }

  has(emission: Passage): boolean {
    const { what, step, place, number } = emission;
    switch (what) {
      case PASSAGE.emittedForRecord:
        return number === this.#id && this.#passages.some((one) => one.step === step && one.place === place);
      case PASSAGE.emittedByWindow: {
        const node = this.#windows.get(place.uid ?? "");
        if (node === undefined || this.#timestampMs === null || !isIn(this.#timestampMs, number, node)) return false;
        return this.#isApplied(PASSAGE.added, emission);
      }
      default: {
        // A timer emits for all that a key ever saw: the first ones are enough.
        const count = this.#byTimer.get(place.uid ?? "") ?? 0;
        if (count === BY_TIMER || !this.#isApplied(PASSAGE.processed, emission)) return false;
        this.#byTimer.set(place.uid ?? "", count + 1);
        return true;
      }
    }
  }

  /** What an attempt did counts for itself, and for later ones where a checkpoint has it. */
  #isApplied(how: number, { place, detail, step }: Passage): boolean {
    const isBefore = (one: Passage): boolean => one.place.uid === place.uid && one.step <= step;
    return this.#passages.some(
      (one) =>
        one.what === how &&
        one.detail === detail &&
        isBefore(one) &&
        (one.place.attempt === place.attempt || this.#passages.some((other) => other.what === PASSAGE.settled && isBefore(other))),
    );
  }
}

function isIn(timestampMs: number, start: number, { sizeMs }: WindowNode): boolean {
  return timestampMs >= start && timestampMs < start + sizeMs;
}

/** With which a record flows; null where it has none, or nobody knows. */
export function timestampOf(id: number, passages: readonly Passage[], { ids }: RecordIndex): number | null {
  const sent = passages.find(({ what }) => what === PASSAGE.arrived || what === PASSAGE.sent);
  const place = ids.placeOf(id);
  let found: number | null = sent?.number ?? null;
  if (found === null && place !== null) {
    ids.ofSource(place.uid).emit(place.partition, place.offset, place.offset + 1, {
      collect: (_record, timestampMs) => void (found = timestampMs),
      collectSide: () => undefined,
    });
  }
  return found === NO_TIMESTAMP ? null : found;
}
