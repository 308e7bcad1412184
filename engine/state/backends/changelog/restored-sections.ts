import { invariant } from "../../../base/assert.ts";
import { CorruptBytesError } from "../../../base/bytes.ts";
import { MIN_WATERMARK } from "../../../base/units.ts";
import type { KeyGroup, TimestampMs } from "../../../base/units.ts";
import type { KeyGroupRange } from "../../keyed-backend.ts";
import { KeyedSectionReader } from "../../keyed-section-reader.ts";
import { KeyedSectionWriter, SectionBuffers } from "../../keyed-section-writer.ts";
import type { SectionState } from "../../snapshot-format.ts";
import { stateCompatibilityOf } from "../../state-migration.ts";
import { ChangelogContainer, isChangelogContainer } from "./container-reader.ts";
import { GroupContents } from "./group-contents.ts";
import { readLog } from "./log-reader.ts";
import type { LogSource, LogVisitor, StateOperation, TimerOperation } from "./log-reader.ts";

/** Key groups next to each other whose base is in one section, or that have none. */
interface Run {
  readonly base: KeyedSectionReader | null;
  readonly range: KeyGroupRange;
}

/** A base and the log since. */
export interface LoggedSections extends LogSource {
  readonly watermarkMs: TimestampMs;
  /** Ascending by their ranges. */
  readonly base: readonly KeyedSectionReader[];
}

/**
 * The operations of a log, by key group of the range. A subtask replays what belongs to its own range and
 * nothing else (FLINK-26766): the rest is checked and forgotten.
 */
class OperationsByKeyGroup implements LogVisitor {
  private readonly start: KeyGroup;
  private readonly groups: (StateOperation | TimerOperation)[][] = [];

  constructor({ start, end }: KeyGroupRange) {
    this.start = start;
    for (let keyGroup = start; keyGroup <= end; keyGroup++) this.groups.push([]);
  }

  state(keyGroup: KeyGroup, operation: StateOperation): void {
    this.groups[keyGroup - this.start]?.push(operation);
  }

  timer(keyGroup: KeyGroup, operation: TimerOperation): void {
    this.groups[keyGroup - this.start]?.push(operation);
  }

  of(keyGroup: KeyGroup): readonly (StateOperation | TimerOperation)[] {
    return this.groups[keyGroup - this.start]!;
  }
}

/**
 * What pieces of `snapshot` and `checkpoint` hold of a range, as keyed-state sections that do not reach beyond
 * it, ascending by their ranges: any backend restores them. The log of a container is already applied.
 */
export function restoredSections(
  pieces: readonly Uint8Array[],
  range: KeyGroupRange,
  maxParallelism: number,
): readonly Uint8Array[] {
  const sections: { readonly start: KeyGroup; readonly end: KeyGroup; readonly bytes: Uint8Array }[] = [];
  for (const piece of pieces) {
    const source = isChangelogContainer(piece) ? new ChangelogContainer(piece) : new KeyedSectionReader(piece);
    invariant(source.maxParallelism === maxParallelism, "state is restored with its max parallelism");
    if (source instanceof KeyedSectionReader && isWithin(source.range, range)) {
      sections.push({ ...source.range, bytes: piece });
    } else {
      sections.push(...cut(source, range, maxParallelism));
    }
  }
  sections.sort((left, right) => left.start - right.start || left.end - right.end);
  return sections.map(({ bytes }) => bytes);
}

/** A section of no key group is made anew: where it stands says nothing. */
function isWithin(inner: KeyGroupRange, outer: KeyGroupRange): boolean {
  return inner.start <= inner.end && inner.start >= outer.start && inner.end <= outer.end;
}

/** What a base and the log since hold of a range, as sections, ascending by their ranges. */
export function cutLogged(source: LoggedSections, range: KeyGroupRange, maxParallelism: number): Uint8Array[] {
  return cut(source, range, maxParallelism).map(({ bytes }) => bytes);
}

function cut(
  source: LoggedSections | KeyedSectionReader,
  range: KeyGroupRange,
  maxParallelism: number,
): { readonly start: KeyGroup; readonly end: KeyGroup; readonly bytes: Uint8Array }[] {
  const common = { start: Math.max(source.range.start, range.start), end: Math.min(source.range.end, range.end) };
  const isLog = "segments" in source;
  const parts = isLog ? source.base : [source];
  const bound = isLog ? source.states : [];
  const operations = new OperationsByKeyGroup(common);
  if (isLog) readLog(source, operations);
  const buffers = new SectionBuffers();
  return runsOf(parts, common, range.start).map((run) => {
    const states = tableOf(run.base, bound, parts);
    const writer = new KeyedSectionWriter(maxParallelism, run.range, states, buffers);
    const contents = new GroupContents(states);
    const numbers = bound.map(({ name }) => states.findIndex((state) => state.name === name));
    for (let keyGroup = run.range.start; keyGroup <= run.range.end; keyGroup++) {
      const before = run.base === null ? MIN_WATERMARK : run.base.readGroup(keyGroup, contents);
      for (const operation of operations.of(keyGroup)) {
        if ("state" in operation) contents.apply(numbers[operation.state]!, operation);
        else contents.applyTimer(operation);
      }
      contents.moveTo(writer, isLog ? source.watermarkMs : before);
    }
    return { ...run.range, bytes: writer.toBytes() };
  });
}

/** Without a key group in common there is one run of none, for the states of the table. */
function runsOf(parts: readonly KeyedSectionReader[], { start, end }: KeyGroupRange, none: KeyGroup): Run[] {
  const runs: Run[] = [];
  let next = start;
  for (const base of parts) {
    const range = { start: Math.max(base.range.start, start), end: Math.min(base.range.end, end) };
    if (range.start > range.end) continue;
    if (next < range.start) runs.push({ base: null, range: { start: next, end: range.start - 1 } });
    runs.push({ base, range });
    next = range.end + 1;
  }
  if (next <= end) runs.push({ base: null, range: { start: next, end } });
  if (runs.length === 0) runs.push({ base: null, range: { start: none, end: none - 1 } });
  return runs;
}

/**
 * The states of a run: those bound by the log's writer, its base's, and those that only another part of the same
 * base knows, so that all runs together have the table that a full snapshot would have.
 */
function tableOf(
  base: KeyedSectionReader | null,
  bound: readonly SectionState[],
  parts: readonly KeyedSectionReader[],
): SectionState[] {
  const table = new Map<string, SectionState>();
  for (const state of bound) table.set(state.name, state);
  for (const state of base === null ? [] : base.states) {
    const wanted = table.get(state.name);
    if (wanted === undefined) table.set(state.name, state);
    else if (!isReadableAs(state, wanted)) {
      throw new CorruptBytesError(`state "${state.name}" is not the same in the base and in the log`);
    }
  }
  for (const part of parts) {
    for (const state of part.states) if (!table.has(state.name)) table.set(state.name, state);
  }
  return [...table.values()];
}

/** True where the bytes of a state that was written mean the same in the state as it is wanted. */
export function isReadableAs(written: SectionState, wanted: SectionState): boolean {
  return written.kind === wanted.kind && stateCompatibilityOf(written, wanted).kind === "as-is";
}
