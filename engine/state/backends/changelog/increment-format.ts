import type { SectionState } from "../../snapshot-format.ts";
import type { LogSegment } from "./changelog-format.ts";

/**
 * An increment: what a checkpoint of the changelog backend keeps where checkpoints share files. It is a set of
 * files, the first of which, the head, says what the others are: a materialized base, which all checkpoints upon it
 * share, and segments of the log, each shared by all checkpoints from the one it was sealed for to the next
 * materialization. Head, with "varuint", "value" and the states' table as in changelog-format:
 *
 *     magic              4 bytes   57 57 43 49 ("WWCI")
 *     format version     1 byte    01
 *     max parallelism    varuint   1 … 32768
 *     first key group    varuint   start of the subtask's range
 *     key groups         varuint   G; the range is [start, start + G)
 *     watermark          value     the operator's watermark in ms, an integer
 *     base form          1 byte    00: its files are keyed-state sections (snapshot-format), ascending by their
 *                                  ranges, one or none where nothing was ever materialized;
 *                                  01: they are one snapshot in the nested backend's own form, in its order
 *     base files         varuint   B
 *     B times
 *       name             value     a string: the file in this set
 *       nested name      value     a string: how the nested backend calls it; "" in form 00
 *     logs               varuint   L >= 1. After a restore a checkpoint stands on what the one before it stood on, so
 *                                  each attempt since the last materialization has a log of its own, in order; the
 *                                  numbers of its operations begin anew in each
 *     L times
 *       base SQN         varuint   the first operation
 *       states                     the table of the attempt: varuint S, S states
 *       segments         varuint   N
 *       N times, the first beginning at the base SQN, each other one where the one before ends
 *         operations     varuint   n >= 1
 *         name           value     a string: the file in this set; it holds n operations and nothing else
 *     end                          nothing follows the last log
 *
 * A file of the set has a name that no other checkpoint gives to other bytes: "<store id>-log-<checkpoint that it was
 * uploaded for>", and behind it ".head", "-<n>.base" (a section), "-<n>.nested" (a file of the nested backend; n = 0 is
 * the first of its snapshot) or "-<n>.log" (a segment). There is no checksum in the head:
 * whoever names a file knows its own.
 */
export const INCREMENT_MAGIC = 0x49435757;
export const INCREMENT_VERSION = 1;

export const BASE_FORM = { sections: 0, native: 1 } as const;

/** A file of a base, always with its bytes. */
export interface BasePart {
  /** Tells what it holds from everything else that this backend ever names. */
  readonly content: string;
  /** Of a file of the nested backend; "" for a section. */
  readonly nestedName: string;
  readonly bytes: Uint8Array;
}

export interface LogPart {
  readonly content: string;
  readonly segment: LogSegment;
}

/** The operations of one attempt since the base, and what they call its states by. */
export interface AttemptLog {
  readonly states: readonly SectionState[];
  readonly baseSqn: number;
  readonly parts: readonly LogPart[];
}

/** What increments stand on: a base, and the logs of earlier attempts that it does not hold. */
export interface IncrementBase {
  readonly isNative: boolean;
  readonly parts: readonly BasePart[];
  readonly logs: readonly AttemptLog[];
}
