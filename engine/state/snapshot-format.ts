import type { StateKind } from "./descriptors.ts";
import type { TypeSerializer } from "./type-serializer.ts";

/**
 * The keyed-state section: the canonical form of the keyed state of one operator subtask, written by every
 * backend in full snapshots and savepoints. Equal state gives equal bytes.
 *
 * "varuint" is a whole number from 0 to 2^53 - 1, seven bits a byte, the least significant first, the top bit
 * of a byte set where another follows, in the shortest form. "value" is a value of the structural codec (tags
 * and layouts: head of engine/base/codec.ts), which tells its own length. "item" is what the serializer of the
 * state wrote, which tells its own length too; which bytes those are follows from the schema (heads of
 * the files in engine/state/serializers).
 *
 *     magic              4 bytes   57 57 4b 53 ("WWKS")
 *     format version     1 byte    02
 *     max parallelism    varuint   1 … 32768
 *     first key group    varuint   start of the subtask's range
 *     key groups         varuint   G, their number; the range is [start, start + G), G = 0 for an empty one
 *     states             varuint   S, their number
 *     S times the state table, ascending by name (UTF-16 code units):
 *       name             value     a string
 *       kind             1 byte    00 value, 01 list, 02 map, 03 reducing, 04 aggregating
 *       schema           value     of the state's serializer (SerializerSchema)
 *       key schema       value     map state: of the serializer of the map's keys; else null
 *     G times a key group, ascending, the first being `start`:
 *       length           varuint   bytes of the group that follow this field
 *       watermark        value     the operator's watermark in ms, an integer; -(2^53 - 1) before any
 *       S times the entries of a state, in the order of the state table:
 *         entries        varuint   E
 *         E times, strictly ascending by the bytes of (key, namespace):
 *           key          value     a string, boolean, bigint, number (not -0) or array of keys
 *           namespace    value     a string or number; "" is the void namespace
 *           content                value, reducing, aggregating: one item
 *                                  list: varuint n >= 1, then n items in the order added
 *                                  map: varuint n >= 1, then n times the map's key (an item of the key schema)
 *                                  and its value (an item), in the order in which the keys were first put
 *       2 times the timers, first event time, then processing time:
 *         timers         varuint   T
 *         T times, strictly ascending by the bytes of (key, namespace, timestamp):
 *           key          value     as above
 *           namespace    value     as above
 *           timestamp    value     ms, an integer
 *     end                          nothing follows the last key group
 *
 * Every key lies in the key group under which it stands: murmur(javaHash(key)) % max parallelism.
 * "Ascending by the bytes" is the unsigned lexicographic order of the encoded bytes.
 */
export const KEYED_SECTION_MAGIC = 0x534b5757;
export const KEYED_SECTION_VERSION = 2;
export const TIMER_DOMAINS = 2;

/** A state as the state table has it: its serializers stand there as their schemas. */
export interface SectionState {
  readonly name: string;
  readonly kind: StateKind;
  /** Of the value, an element, a map's value, or the accumulator. */
  readonly serializer: TypeSerializer<any>;
  /** Map state: of the map's keys; else null. */
  readonly keySerializer: TypeSerializer<any> | null;
}

/** By their number in the state table. */
export const STATE_KINDS: readonly StateKind[] = ["value", "list", "map", "reducing", "aggregating"];
