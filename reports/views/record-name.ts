import type { RecordIndex } from "../../simulator/timetravel/record-index.ts";
import { UsageError } from "../files/usage-error.ts";
import { nearest } from "../text/format.ts";

const FORMS = "give the number of a record (record:31), its place in a topic (record:flights/2@31), or what a finding calls it (record:31 of flights/2)";

/**
 * The id of a record that somebody names: "31" (all records of all sources are numbered through; what windows and
 * process functions emit comes behind them), "flights/2@31" (offset 31 of partition 2), and as findings say it:
 * "record 31 of flights/2", "derived record 4711". Throws UsageError for what the run does not have.
 */
export function parseRecord(text: string, index: RecordIndex): number {
  const input = `the record ${JSON.stringify(text)}`;
  const name = text.trim();
  const number = /^(?:derived\s+record\s+)?(\d+)$/.exec(name);
  if (number !== null) return knownId(Number(number[1]), index, input);
  const offsetFirst = /^(?:record\s+)?(\d+)\s+of\s+(.+)\/(\d+)$/.exec(name);
  if (offsetFirst !== null) return idAt(offsetFirst[2] as string, Number(offsetFirst[3]), Number(offsetFirst[1]), index, input);
  const offsetLast = /^(.+)\/(\d+)@(\d+)$/.exec(name);
  if (offsetLast !== null) return idAt(offsetLast[1] as string, Number(offsetLast[2]), Number(offsetLast[3]), index, input);
  throw new UsageError(input, "is none", FORMS);
}

function knownId(id: number, { ids, passages }: RecordIndex, input: string): number {
  if (id < ids.total || passages.of(id).length > 0) return id;
  throw new UsageError(input, `is not in this run: its sources have the records 0 to ${ids.total - 1}, and nothing derived has this number`, FORMS);
}

function idAt(topic: string, partition: number, offset: number, { ids }: RecordIndex, input: string): number {
  const source = ids.sources.find(({ name, uid }) => name === topic || uid === topic);
  const names = ids.sources.map(({ name }) => name);
  if (source === undefined) {
    const near = nearest(topic, names);
    throw new UsageError(input, `is of no source of this job${near === null ? ` (it has ${names.join(", ")})` : ` (did you mean ${near}?)`}`, FORMS);
  }
  const length = source.lengths[partition];
  if (length === undefined) throw new UsageError(input, `is not in this run: ${topic} has ${source.lengths.length} partitions, from 0 on`, FORMS);
  if (offset >= length) throw new UsageError(input, `is not in this run: ${topic}/${partition} has ${length} records, from 0 on`, FORMS);
  return (source.firstIds[partition] as number) + offset;
}
