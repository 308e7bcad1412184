import { invariant } from "../../../base/assert.ts";
import type { StateKind } from "../../descriptors.ts";
import type { SectionState } from "../../snapshot-format.ts";
import { itemMigration, mergedState } from "../../state-migration.ts";
import type { ItemMigration } from "../../state-migration.ts";
import type { TtlConfig } from "../../ttl-config.ts";
import type { TypeSerializer } from "../../type-serializer.ts";
import { STATE_IDS_LIMIT } from "./row-format.ts";

/** A state that has rows, or may have: its number in row keys, and what its rows are written with. */
export interface StoredState extends SectionState {
  readonly id: number;
  readonly name: string;
  readonly kind: StateKind;
  /** What the rows are written with now: what a snapshot said, until the state is bound. */
  serializer: TypeSerializer<any>;
  keySerializer: TypeSerializer<any> | null;
  /** Of the descriptor that bound it. */
  ttl: TtlConfig | null;
  bound: boolean;
}

/** What a restored state becomes. */
export interface AdoptedState {
  readonly stored: StoredState;
  /** To be applied to each item; null: they stay as they are. */
  readonly migration: ItemMigration | null;
}

/** The states of a backend, by number in the order in which they were registered. */
export class StoredStates {
  readonly all: StoredState[] = [];
  private readonly ids: Map<string, number> = new Map();

  /** The state of that name, added where there is none; it is of the same kind. */
  find(wanted: SectionState): StoredState {
    const id = this.ids.get(wanted.name);
    if (id === undefined) return this.add(wanted);
    const stored = this.all[id]!;
    if (stored.kind !== wanted.kind) {
      invariant(false, `state "${stored.name}" is bound as the ${stored.kind} state it is, not as ${wanted.kind} state`);
    }
    return stored;
  }

  /** Takes over states of a snapshot, as they were written unless they are bound or another one has them too. */
  adopt(written: readonly SectionState[]): void {
    for (const state of written) {
      const kept = this.find(state);
      if (!kept.bound) replaceSerializers(kept, mergedState(kept, state));
    }
  }

  /** What each of these states, in their order, became when all of them had been adopted. */
  adopted(written: readonly SectionState[]): readonly AdoptedState[] {
    return written.map((state) => {
      const stored = this.find(state);
      return { stored, migration: itemMigration(state, stored) };
    });
  }

  /** The states as they are now: those in use change with what binds them. */
  frozen(): readonly StoredState[] {
    return this.all.map((state) => ({ ...state }));
  }

  private add({ name, kind, serializer, keySerializer }: SectionState): StoredState {
    const id = this.all.length;
    invariant(id < STATE_IDS_LIMIT, "a backend keeps at most 32768 states");
    const stored: StoredState = { id, name, kind, serializer, keySerializer, ttl: null, bound: false };
    this.ids.set(name, id);
    this.all.push(stored);
    return stored;
  }
}

export function replaceSerializers(stored: StoredState, { serializer, keySerializer }: SectionState): void {
  stored.serializer = serializer;
  stored.keySerializer = keySerializer;
}
