import type { StreamNode } from "../../engine/graph/stream-graph.ts";
import { describeTime } from "../../simulator/oracles/data-oracles-wording.ts";
import { windowStartOf } from "../../simulator/reference/reference-window.ts";
import type { RecordIndex } from "../../simulator/timetravel/record-index.ts";
import { PASSAGE, type Passage } from "../../simulator/timetravel/record-passages.ts";
import { counted } from "../text/format.ts";
import type { Tone } from "./line.ts";
import { isEmission, timestampOf, type Followed } from "./record-derived.ts";
import type { RecordFact } from "./record-fact.ts";

/** What tasks did with a record, in order. */
export function passageFacts(followed: Followed, index: RecordIndex): readonly RecordFact[] {
  const steps = new RecordSteps(followed, index);
  return followed.passages.flatMap((passage, at) => {
    const said = steps.words(passage, at);
    if (said === null) return [];
    const { step, place } = passage;
    const where = passage.what === PASSAGE.arrived ? (place.to ?? place.name) : place.name;
    return [{ step, attempt: place.attempt, where, ...said }];
  });
}

interface Said {
  readonly what: string;
  readonly tone: Tone;
}

class RecordSteps {
  readonly #id: number;
  readonly #passages: readonly Passage[];
  readonly #index: RecordIndex;
  readonly #nodes: ReadonlyMap<string, StreamNode>;
  readonly #timestampMs: number | null;

  constructor({ id, passages }: Followed, index: RecordIndex) {
    this.#id = id;
    this.#passages = passages;
    this.#index = index;
    this.#nodes = new Map(index.graph.nodes.map((node) => [node.uid, node]));
    this.#timestampMs = timestampOf(id, passages, index);
  }

  /** Null for what other facts say. */
  words(passage: Passage, at: number): Said | null {
    const { what, place, detail } = passage;
    switch (what) {
      case PASSAGE.read:
        return this.#read(passage, at);
      case PASSAGE.sent:
        return plain(`sent to ${place.to ?? "?"} in a buffer of ${counted(detail, "record")}`);
      case PASSAGE.arrived:
        return plain(`arrived from ${place.name} in a buffer of ${counted(detail, "record")}`);
      case PASSAGE.passed:
        return plain("went through");
      case PASSAGE.filtered:
        return { what: "was filtered out", tone: "warn" };
      case PASSAGE.processed:
        return this.#processed(passage, at);
      case PASSAGE.added:
        return { what: `added to key ${this.#key(detail)}${this.#window(place.uid, this.#timestampMs)}${this.#origin(passage)}`, tone: "changed" };
      case PASSAGE.written:
        return this.#written(detail);
      default:
        return isEmission(passage) ? { what: `emitted derived record ${this.#id} ${this.#reason(passage)}`, tone: "changed" } : null;
    }
  }

  #read({ place }: Passage, at: number): Said {
    const isAgain = this.#passages.slice(0, at).some((one) => one.what === PASSAGE.read && one.place.attempt < place.attempt);
    return isAgain ? { what: "read again", tone: "warn" } : plain("read");
  }

  #processed(passage: Passage, at: number): Said | null {
    const { place, step, detail } = passage;
    const kind = this.#nodes.get(place.uid ?? "")?.kind;
    const key = this.#key(detail);
    if (kind !== "window") return { what: `${kind === "reduce" ? "applied to" : "processed for"} key ${key}${this.#origin(passage)}`, tone: "changed" };
    const next = this.#passages[at + 1];
    if (next?.what === PASSAGE.added && next.place === place && next.step === step) return null;
    return { what: `came too late for its window (key ${key})`, tone: "warn" };
  }

  /** Where it was not sent in this attempt, it is part of what a checkpoint had in flight. */
  #origin({ place }: Passage): string {
    const arrivals = this.#passages.filter(({ what }) => what === PASSAGE.arrived);
    const isRestored = arrivals.length > 0 && arrivals.every((one) => one.place.attempt !== place.attempt);
    return isRestored ? ", from the in-flight data of the checkpoint" : "";
  }

  #written(transaction: number): Said {
    const id = this.#index.passages.textOf(transaction);
    return id === null ? { what: "written to a transaction that no checkpoint closed", tone: "warn" } : plain(`written to transaction ${id}`);
  }

  #reason({ what, place, detail, number }: Passage): string {
    if (what === PASSAGE.emittedForRecord) return `for record ${number}`;
    const ofKey = detail < 0 ? "" : ` of key ${this.#key(detail)}`;
    return what === PASSAGE.emittedByTimer ? `at timer ${describeTime(number)}${ofKey}` : `as result${ofKey}${this.#window(place.uid, number)}`;
  }

  /** `timestampMs`: any moment in the window. */
  #window(uid: string | null, timestampMs: number | null): string {
    const node = this.#nodes.get(uid ?? "");
    if (node?.kind !== "window" || timestampMs === null) return "";
    const start = windowStartOf(timestampMs, node.sizeMs, node.offsetMs);
    return `, window [${describeTime(start)}, ${describeTime(start + node.sizeMs)})`;
  }

  #key(number: number): string {
    return this.#index.passages.textOf(number) ?? "?";
  }
}

function plain(what: string): Said {
  return { what, tone: "plain" };
}
