import { ByteReader } from "../../../base/bytes.ts";
import { decodeFrom } from "../../../base/codec.ts";
import type { KeyGroup, TimestampMs } from "../../../base/units.ts";
import { keyGroupOf } from "../../../stream/key-groups.ts";
import { isKey } from "../../key-identity.ts";
import { TIMER_DOMAINS } from "../../snapshot-format.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { Key, Namespace, TimerDomain } from "../../state.ts";
import { OPERATION } from "./changelog-format.ts";
import { readInteger } from "./container-reader.ts";
import type { LogSegment } from "./changelog-format.ts";
import type { KeyGroupRange } from "../../keyed-backend.ts";

/** A mutation of state, as the log has it. */
export interface StateOperation {
  readonly code: number;
  /** Number of the state in the log's table. */
  readonly state: number;
  readonly key: Key;
  readonly namespace: Namespace;
  /** set: the value. replace, append: the elements. put: the map's key and its value. remove: the map's key. clear: null. */
  readonly content: unknown;
}

export interface TimerOperation {
  readonly code: typeof OPERATION.registerTimer | typeof OPERATION.deregisterTimer;
  readonly domain: TimerDomain;
  readonly key: Key;
  readonly namespace: Namespace;
  readonly timestampMs: TimestampMs;
}

/** A log, and what its operations are about. */
export interface LogSource {
  readonly maxParallelism: number;
  readonly range: KeyGroupRange;
  /** By their number in the log. */
  readonly states: readonly SectionState[];
  readonly segments: readonly LogSegment[];
}

export interface LogVisitor {
  state(keyGroup: KeyGroup, operation: StateOperation): void;
  timer(keyGroup: KeyGroup, operation: TimerOperation): void;
}

/** Gives the operations of a log to `visitor`, in their order. Throws CorruptBytesError for what is none. */
export function readLog(source: LogSource, visitor: LogVisitor): void {
  for (const { fromSqn, toSqn, bytes } of source.segments) {
    const reader = new ByteReader(bytes);
    for (let sqn = fromSqn; sqn < toSqn; sqn++) readOperation(reader, source, visitor);
    if (reader.remaining !== 0) reader.corrupt("a segment longer than its operations");
  }
}

function readOperation(reader: ByteReader, source: LogSource, visitor: LogVisitor): void {
  const code = reader.u8();
  const keyGroup = reader.varuint();
  const { range, states, maxParallelism } = source;
  if (keyGroup < range.start || keyGroup > range.end) reader.corrupt(`an operation on key group ${keyGroup}`);
  const isTimer = code === OPERATION.registerTimer || code === OPERATION.deregisterTimer;
  const number = isTimer ? 0 : reader.varuint();
  const key = decodeFrom(reader);
  if (!isKey(key)) return reader.corrupt("a key of a type that no key has");
  if (keyGroupOf(key, maxParallelism) !== keyGroup) reader.corrupt(`a key that is not of key group ${keyGroup}`);
  const namespace = decodeFrom(reader);
  if (typeof namespace !== "string" && typeof namespace !== "number") {
    return reader.corrupt("a namespace that is neither string nor number");
  }
  if (isTimer) {
    const domain = reader.u8();
    if (domain >= TIMER_DOMAINS) reader.corrupt("a timer of an unknown domain");
    const timestampMs = readInteger(reader, "a timestamp");
    visitor.timer(keyGroup, { code, domain: domain as TimerDomain, key, namespace, timestampMs });
    return;
  }
  const state = states[number];
  if (state === undefined) return reader.corrupt("an operation on a state that the table does not have");
  visitor.state(keyGroup, { code, state: number, key, namespace, content: readContent(reader, code, state) });
}

function readContent(reader: ByteReader, code: number, { kind, serializer, keySerializer }: SectionState): unknown {
  switch (code) {
    case OPERATION.clear:
      return null;
    case OPERATION.set: {
      if (kind === "list" || kind === "map") reader.corrupt(`a ${kind} that is set as a value`);
      const value: unknown = serializer.read(reader);
      return value === null ? reader.corrupt(`a ${kind} state that is set to null`) : value;
    }
    case OPERATION.replace:
    case OPERATION.append: {
      if (kind !== "list") reader.corrupt(`elements of a ${kind} state`);
      const count = reader.count(1);
      if (count === 0) reader.corrupt("no elements, where there is at least one");
      const elements: unknown[] = [];
      for (let i = 0; i < count; i++) elements.push(serializer.read(reader));
      return elements;
    }
    case OPERATION.put:
    case OPERATION.remove: {
      if (keySerializer === null) return reader.corrupt(`a map's key in a ${kind} state`);
      const mapKey: unknown = keySerializer.read(reader);
      return code === OPERATION.put ? ([mapKey, serializer.read(reader)] as const) : mapKey;
    }
    default:
      return reader.corrupt("an operation of an unknown code");
  }
}
