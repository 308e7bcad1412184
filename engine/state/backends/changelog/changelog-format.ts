/**
 * What a checkpoint of the changelog backend keeps for one keyed operator subtask: a materialized base and the
 * log of what changed since.
 *
 * "varuint", "value" and "item" as in snapshot-format; "key", "namespace" and "schema" are written as there.
 *
 *     magic              4 bytes   57 57 43 4c ("WWCL")
 *     format version     1 byte    01
 *     max parallelism    varuint   1 … 32768
 *     first key group    varuint   start of the subtask's range
 *     key groups         varuint   G, their number; the range is [start, start + G), G = 0 for an empty one
 *     watermark          value     the operator's watermark in ms, an integer; it replaces those of the base
 *     materialization    varuint   number of the base: how many materializations the attempt had completed
 *     base SQN           varuint   the first operation that the base does not hold
 *     states             varuint   S, those that the attempt bound: the log names them by their place here, from 0
 *     S times a state, in the order in which they were bound, no name twice:
 *       name             value     a string
 *       kind             1 byte    as in snapshot-format
 *       schema           value     of the state's serializer
 *       key schema       value     map state: of the serializer of the map's keys; else null
 *     base sections      varuint   B; none where nothing was ever materialized
 *     B times, ascending by their ranges, which lie in this range and do not overlap (after a restore and until
 *     the next materialization there is one for each old subtask):
 *       length           varuint   bytes that follow
 *       section                    a keyed-state section (snapshot-format); a state that the table above names
 *                                  too has the same kind and schemas there
 *     segments           varuint   N
 *     N times, the first beginning at the base SQN, each other one where the one before ends:
 *       first SQN        varuint
 *       operations       varuint   n >= 1; the segment holds the SQNs [first, first + n)
 *       length           varuint   bytes that follow
 *       n times an operation
 *     end                          nothing follows the last segment
 *
 * An operation says what a mutation left behind, so that nobody's code is needed to repeat it: reducing and
 * aggregating state log the accumulator, merged namespaces the lists that were emptied and what was appended.
 *
 *     code               1 byte    00 … 07
 *     key group          varuint   of the key, in the subtask's range
 *     state              varuint   00 … 05 only: the place in the table
 *     key                value
 *     namespace          value
 *     payload                      00 clear       all that the state has there is gone (also where there was nothing)
 *                                  01 set         value, reducing, aggregating: item
 *                                  02 replace     list: varuint n >= 1, n items
 *                                  03 append      list: varuint n >= 1, n items
 *                                  04 put         map: the map's key (an item of the key schema), item; the key
 *                                                 keeps its place in the order where it is there already
 *                                  05 remove      map: the map's key; with the last one the map is gone
 *                                  06 register    timer: domain, 1 byte (00 event time, 01 processing time);
 *                                                 timestamp, a value: ms, an integer
 *                                  07 deregister  timer: as 06; it fired or was removed
 *
 * There is no operation for binding a state: every container has the whole table, however much of the log was
 * dropped before. There is no checksum: the file that a container lies in has one.
 */
export const CHANGELOG_MAGIC = 0x4c435757;
export const CHANGELOG_VERSION = 1;

export const OPERATION = {
  clear: 0,
  set: 1,
  replace: 2,
  append: 3,
  put: 4,
  remove: 5,
  registerTimer: 6,
  deregisterTimer: 7,
} as const;

/**
 * A sealed piece of the log: the operations [fromSqn, toSqn). Never changed. `fromSqn` tells it from all other
 * segments of its attempt and subtask, so that it can be stored once and referred to by many checkpoints.
 */
export interface LogSegment {
  readonly fromSqn: number;
  readonly toSqn: number;
  readonly bytes: Uint8Array;
}
