import { ByteWriter } from "../../../base/bytes.ts";
import type { TimestampMs } from "../../../base/units.ts";
import { tupleIdentity } from "../../key-identity.ts";
import type { KeyGroupVisitor } from "../../keyed-section-reader.ts";
import type { KeyedSectionWriter } from "../../keyed-section-writer.ts";
import type { SectionState } from "../../snapshot-format.ts";
import type { Key, Namespace, TimerDomain } from "../../state.ts";
import type { TypeSerializer } from "../../type-serializer.ts";
import { OPERATION } from "./changelog-format.ts";
import type { StateOperation, TimerOperation } from "./log-reader.ts";

type Pair = readonly [unknown, unknown];

/** `content`: as a section reader gives it; a map that an operation changed: its pairs by the bytes of their keys. */
interface GroupEntry {
  readonly state: number;
  readonly key: Key;
  readonly namespace: Namespace;
  content: unknown;
}

interface GroupTimer {
  readonly domain: TimerDomain;
  readonly key: Key;
  readonly namespace: Namespace;
  readonly timestampMs: TimestampMs;
}

/**
 * What one key group holds while a log is applied to it. It needs neither a backend nor user code: operations
 * say what a mutation left behind. States are known by their numbers in `states`.
 */
export class GroupContents implements KeyGroupVisitor {
  private readonly states: readonly SectionState[];
  private readonly numbers: ReadonlyMap<string, number>;
  /** By state: entries of simple keys in the void namespace by the key, and all others by the text of both. */
  private readonly simple: Map<Key, GroupEntry>[];
  private readonly others: Map<string, GroupEntry>[];
  private readonly timers: Map<string, GroupTimer> = new Map();
  private readonly scratch: ByteWriter = new ByteWriter();

  constructor(states: readonly SectionState[]) {
    this.states = states;
    this.simple = states.map(() => new Map<Key, GroupEntry>());
    this.others = states.map(() => new Map<string, GroupEntry>());
    this.numbers = new Map(states.map(({ name }, number) => [name, number]));
  }

  entry({ name }: SectionState, key: Key, namespace: Namespace, content: unknown): void {
    this.set(this.numbers.get(name)!, key, namespace, content);
  }

  timer(domain: TimerDomain, key: Key, namespace: Namespace, timestampMs: TimestampMs): void {
    this.timers.set(tupleIdentity([domain, key, namespace, timestampMs]), { domain, key, namespace, timestampMs });
  }

  /** `state` is the operation's in `states`, which need not be its number in the log. */
  apply(state: number, { code, key, namespace, content }: StateOperation): void {
    switch (code) {
      case OPERATION.clear:
        return this.clear(state, key, namespace);
      case OPERATION.remove: {
        const entry = this.find(state, key, namespace);
        if (entry !== undefined && this.removeFromMap(entry, content)) this.clear(state, key, namespace);
        return;
      }
      case OPERATION.append: {
        const entry = this.find(state, key, namespace);
        if (entry === undefined) break;
        for (const element of content as readonly unknown[]) (entry.content as unknown[]).push(element);
        return;
      }
      case OPERATION.put: {
        const entry = this.find(state, key, namespace);
        if (entry === undefined) this.set(state, key, namespace, [content]);
        else this.putIntoMap(entry, content as Pair);
        return;
      }
      default:
    }
    this.set(state, key, namespace, content);
  }

  applyTimer({ code, domain, key, namespace, timestampMs }: TimerOperation): void {
    if (code === OPERATION.registerTimer) this.timer(domain, key, namespace, timestampMs);
    else this.timers.delete(tupleIdentity([domain, key, namespace, timestampMs]));
  }

  /** Writes everything as the contents of the key group that is in progress, and forgets it. */
  moveTo(section: KeyedSectionWriter, watermarkMs: TimestampMs): void {
    for (const entries of this.simple) this.moveEntries(entries, section);
    for (const entries of this.others) this.moveEntries(entries, section);
    let last: Key | null = null;
    for (const { domain, key, namespace, timestampMs } of this.timers.values()) {
      if (key !== last) section.beginKey(key);
      last = key;
      section.timer(domain, namespace, timestampMs);
    }
    section.endGroup(watermarkMs);
    this.timers.clear();
  }

  private moveEntries(entries: Map<unknown, GroupEntry>, section: KeyedSectionWriter): void {
    for (const { state, key, namespace, content } of entries.values()) {
      section.beginKey(key);
      const { kind } = this.states[state]!;
      if (kind === "list") section.list(state, namespace, content as readonly unknown[]);
      else if (kind !== "map") section.value(state, namespace, content);
      else if (content instanceof Map) section.map(state, namespace, (content as Map<string, Pair>).values(), content.size);
      else section.map(state, namespace, content as readonly Pair[], (content as readonly Pair[]).length);
    }
    entries.clear();
  }

  private find(state: number, key: Key, namespace: Namespace): GroupEntry | undefined {
    if (namespace === "" && typeof key !== "object") return this.simple[state]!.get(key);
    return this.others[state]!.get(tupleIdentity([key, namespace]));
  }

  private set(state: number, key: Key, namespace: Namespace, content: unknown): void {
    const entry = { state, key, namespace, content };
    if (namespace === "" && typeof key !== "object") this.simple[state]!.set(key, entry);
    else this.others[state]!.set(tupleIdentity([key, namespace]), entry);
  }

  private clear(state: number, key: Key, namespace: Namespace): void {
    if (namespace === "" && typeof key !== "object") this.simple[state]!.delete(key);
    else this.others[state]!.delete(tupleIdentity([key, namespace]));
  }

  private putIntoMap(entry: GroupEntry, pair: Pair): void {
    this.pairsOf(entry).set(this.identityOf(entry, pair[0]), pair);
  }

  /** True if nothing is left. */
  private removeFromMap(entry: GroupEntry, mapKey: unknown): boolean {
    const pairs = this.pairsOf(entry);
    pairs.delete(this.identityOf(entry, mapKey));
    return pairs.size === 0;
  }

  private pairsOf(entry: GroupEntry): Map<string, Pair> {
    if (entry.content instanceof Map) return entry.content as Map<string, Pair>;
    const pairs = new Map<string, Pair>();
    for (const pair of entry.content as readonly Pair[]) pairs.set(this.identityOf(entry, pair[0]), pair);
    entry.content = pairs;
    return pairs;
  }

  /** Equal keys of a map have equal bytes. */
  private identityOf(entry: GroupEntry, mapKey: unknown): string {
    const { scratch } = this;
    const serializer: TypeSerializer<unknown> = this.states[entry.state]!.keySerializer!;
    scratch.truncate(0);
    serializer.write(scratch, mapKey);
    let text = "";
    for (const byte of scratch.take()) text += String.fromCharCode(byte);
    return text;
  }
}
