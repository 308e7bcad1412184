import { deepEqual } from "node:assert/strict";
import { crc32 } from "#whitewater/engine/base/crc32.js";
import type { RandomStream } from "#whitewater/engine/ports/rng.js";
import { listState, mapState, valueState } from "#whitewater/engine/state/descriptors.js";
import type { KeyedBackend } from "#whitewater/engine/state/keyed-backend.js";
import type { StateLibraries } from "#whitewater/engine/state/backends/state-libraries.js";
import { booleanSerializer, doubleSerializer, stringSerializer } from "#whitewater/engine/state/serializers/primitive-serializers.js";
import { field, struct } from "#whitewater/engine/state/serializers/struct-serializer.js";
import type { StructField } from "#whitewater/engine/state/serializers/struct-serializer.js";
import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import { StateSchemaError } from "#whitewater/engine/state/state-errors.js";
import type { TypeSerializer } from "#whitewater/engine/state/type-serializer.js";
import { RandomStreams } from "#whitewater/simulator/world/random-streams.js";
import { errorOf, expectBytes, Host, maintainFully, snapshotOf } from "../../test/contract/backend-under-test.ts";
import { configuredBackend } from "../../test/contract/configured-backend.ts";
import { KeptFiles } from "../../test/contract/kept-files.ts";
import type { ControlFinding, ControlRun } from "../control.ts";
import { messageOf } from "../control.ts";

type Content = Readonly<Record<string, unknown>>;

const KINDS = ["string", "double", "boolean"] as const;
const SERIALIZERS: Readonly<Record<(typeof KINDS)[number], TypeSerializer<any>>> = {
  string: stringSerializer,
  double: doubleSerializer,
  boolean: booleanSerializer,
};
const STATES = ["value", "list", "map"] as const;
const GENERATIONS = 6;
const KEYS = 12;

interface Field {
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  readonly renamedFrom: string | null;
  /** Undefined: none. */
  readonly fallback: unknown;
}

type Layout = readonly Field[];

function serializerOf(layout: Layout): TypeSerializer<Content> {
  const fields: Record<string, StructField<any>> = {};
  for (const { name, kind, renamedFrom, fallback } of layout) {
    fields[name] = field(SERIALIZERS[kind], {
      ...(fallback !== undefined && { default: fallback }),
      ...(renamedFrom !== null && { renamedFrom }),
    });
  }
  return struct(fields) as TypeSerializer<Content>;
}

/** A state of the job: how it was bound last, and what it holds by key. */
interface Evolving {
  readonly name: (typeof STATES)[number];
  layout: Layout;
  contents: Map<number, readonly Content[]>;
}

/** One job over some generations of its code, each with other structs in its state. */
class Evolution {
  checksum = 0;
  private readonly random: RandomStream;
  private readonly host: Host;
  private readonly states: readonly Evolving[];
  private readonly kept: KeptFiles = new KeptFiles();
  private names = 0;

  constructor(random: RandomStream, host: Host) {
    this.random = random;
    this.host = host;
    this.states = STATES.map((name) => ({ name, layout: [this.newField(false), this.newField(false)], contents: new Map() }));
  }

  run(): void {
    let backend = this.host.open();
    for (const state of this.states) this.use(backend, state);
    for (let generation = 1; generation < 2 + this.random.below(GENERATIONS); generation++) {
      const section = snapshotOf(backend);
      this.checksum = crc32(section, 0, undefined, this.checksum);
      backend = this.restored(backend, section, generation);
      const refused = this.states.filter(() => this.random.below(3) === 0);
      for (const state of refused) this.bindWrongly(backend, state);
      if (this.random.below(3) === 0) {
        // The job that could not read its state is over; what it left behind is what it found.
        expectBytes(snapshotOf(backend), section);
        continue;
      }
      for (const state of this.states) {
        if (this.random.below(3) === 0) continue;
        if (this.random.below(3) > 0) this.evolve(state);
        this.use(backend, state);
      }
      if (this.random.below(2) === 0) maintainFully(backend);
    }
    for (const state of this.states) this.use(backend, state);
    backend.dispose();
  }

  /** The next generation's backend: from the section, or from the backend's own files where it has some. */
  private restored(backend: KeyedBackend, section: Uint8Array, checkpointId: number): KeyedBackend {
    const { incremental } = backend;
    if (incremental === null || this.random.below(2) === 0) {
      backend.dispose();
      return this.host.restored([section]);
    }
    const writer = incremental.snapshot(checkpointId);
    while (writer.step(3) > 0);
    const files = writer.files();
    writer.cancel();
    this.kept.add(files);
    backend.dispose();
    const next = this.host.open();
    next.incremental!.restore([this.kept.resolved(files)]);
    return next;
  }

  /** Binds the state as it is now, compares what it holds, and changes some of it. */
  private use(backend: KeyedBackend, { name, layout, contents }: Evolving): void {
    const { random } = this;
    const serializer = serializerOf(layout);
    for (let key = 0; key < KEYS; key++) {
      backend.setCurrentKey(key);
      const before = contents.get(key) ?? [];
      const isChanged = random.below(2) === 0;
      const after = isChanged ? Array.from({ length: random.below(3) }, () => this.contentOf(layout)) : before;
      if (name === "value") {
        const { state } = backend.bind(valueState<Content>(name, null, { serializer }));
        deepEqual(state.value(), before[0] ?? null);
        if (isChanged) state.update(after[0] ?? null);
      } else if (name === "list") {
        const { state } = backend.bind(listState<Content>(name, { serializer }));
        deepEqual(state.get(), before);
        if (isChanged) state.update(after);
      } else {
        const { state } = backend.bind(mapState<string, Content>(name, { keySerializer: stringSerializer, serializer }));
        deepEqual(state.entries(), before.map((content, index) => [`m${index}`, content]));
        if (!isChanged) continue;
        state.clear();
        after.forEach((content, index) => state.put(`m${index}`, content));
      }
      contents.set(key, name === "value" ? after.slice(0, 1) : after);
    }
  }

  /** Binds it with what cannot read it, which is refused. */
  private bindWrongly(backend: KeyedBackend, { name, layout }: Evolving): void {
    const { random } = this;
    const other = KINDS[(KINDS.indexOf(layout[0]!.kind) + 1) % KINDS.length]!;
    const wrong: Layout = [{ ...layout[0]!, kind: other, fallback: undefined }, ...layout.slice(1)];
    const serializer: TypeSerializer<any> =
      random.below(3) === 0 ? stringSerializer : serializerOf(random.below(2) === 0 ? wrong : [...layout, this.newField(false)]);
    const error = errorOf(() => {
      if (name === "value") backend.bind(valueState(name, null, { serializer }));
      else if (name === "list") backend.bind(listState(name, { serializer }));
      else backend.bind(mapState(name, { keySerializer: stringSerializer, serializer }));
    });
    if (!(error instanceof StateSchemaError)) throw error;
  }

  /** Fields removed, renamed, added and in another order; contents go along. */
  private evolve(state: Evolving): void {
    const { random } = this;
    const layout: Field[] = [];
    for (const one of state.layout) {
      const choice = random.below(4);
      const name = choice === 1 ? this.newName() : one.name;
      if (choice !== 0 || state.layout.length === 1) layout.push({ ...one, name, renamedFrom: choice === 1 ? one.name : null });
    }
    while (layout.length === 0 || random.below(3) === 0) layout.splice(random.below(layout.length + 1), 0, this.newField(true));
    if (random.below(3) === 0) layout.reverse();
    const convert = (old: Content): Content =>
      Object.fromEntries(layout.map(({ name, renamedFrom, fallback }) => [name, old[renamedFrom ?? name] ?? fallback]));
    state.layout = layout;
    for (const [key, all] of state.contents) state.contents.set(key, all.map(convert));
  }

  private contentOf(layout: Layout): Content {
    return Object.fromEntries(layout.map(({ name, kind }) => [name, this.itemOf(kind)]));
  }

  private itemOf(kind: Field["kind"]): unknown {
    const drawn = this.random.below(1000);
    if (kind === "string") return "s".repeat(drawn % 40);
    return kind === "double" ? drawn / 8 : drawn % 2 === 0;
  }

  private newField(hasDefault: boolean): Field {
    const kind = KINDS[this.random.below(KINDS.length)]!;
    return { name: this.newName(), kind, renamedFrom: null, fallback: hasDefault ? this.itemOf(kind) : undefined };
  }

  private newName(): string {
    this.names += 1;
    return `f${this.names}`;
  }
}

/**
 * A job whose code changes between its runs: structs gain, lose and rename fields, some generations bind only part
 * of the state, some are refused. What can be read comes back converted, what cannot is refused with an error, and
 * a refusal changes nothing.
 */
export function schemaEvolutionRun(seed: string, backend: StateBackendName, libraries: StateLibraries): ControlRun {
  const random = new RandomStreams(seed).stream("schemas");
  const evolution = new Evolution(random, new Host(configuredBackend(backend, libraries)));
  const findings: ControlFinding[] = [];
  try {
    evolution.run();
  } catch (error) {
    findings.push({ oracle: "schema evolution", message: messageOf(error) });
  }
  return { digest: evolution.checksum.toString(16), findings };
}
