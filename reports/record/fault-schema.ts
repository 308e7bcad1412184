import { z } from "zod";
import type { Fault, FaultPlan } from "../../simulator/faults/fault.ts";

const timeUs = z.int().min(0);
const durationUs = z.int().min(0);
const percent = z.int().min(0).max(100);
const text = z.string().max(1000);

const trigger = z.discriminatedUnion("on", [
  z.strictObject({ on: z.literal("time"), atUs: timeUs }),
  z.strictObject({
    on: z.literal("event"),
    event: text,
    subject: text,
    x: z.int().nullable(),
    nth: z.int().min(1),
    when: z.enum(["before", "after"]),
  }),
]);
const base = { id: text, at: trigger };
const delayed = { ...base, delayUs: durationUs };

const faultSchema: z.ZodType<Fault> = z.discriminatedUnion("kind", [
  z.strictObject({ ...base, kind: z.literal("process-crash"), process: text.nullable() }),
  z.strictObject({ ...base, kind: z.literal("process-pause"), process: text.nullable(), durationUs }),
  z.strictObject({ ...base, kind: z.literal("host-crash"), host: text.nullable(), replace: z.boolean() }),
  z.strictObject({ ...base, kind: z.literal("user-exception") }),
  z.strictObject({ ...base, kind: z.literal("rescale"), parallelism: z.int().min(1).max(1 << 15) }),
  z.strictObject({ ...base, kind: z.literal("savepoint") }),
  z.strictObject({ ...base, kind: z.literal("stop-with-savepoint"), mode: z.enum(["suspend", "drain"]) }),
  z.strictObject({ ...base, kind: z.literal("cancel-job") }),
  z.strictObject({ ...base, kind: z.literal("checkpoint-abort") }),
  z.strictObject({ ...base, kind: z.literal("rpc-drop") }),
  z.strictObject({ ...delayed, kind: z.literal("rpc-duplicate") }),
  z.strictObject({ ...delayed, kind: z.literal("rpc-delay") }),
  z.strictObject({ ...base, kind: z.literal("rpc-reply-drop") }),
  z.strictObject({ ...base, kind: z.literal("connection-break") }),
  z.strictObject({ ...delayed, kind: z.literal("frame-delay") }),
  z.strictObject({ ...base, kind: z.literal("blob-error"), code: z.enum(["unavailable", "unknown"]) }),
  z.strictObject({ ...delayed, kind: z.literal("blob-slow") }),
  z.strictObject({ ...delayed, kind: z.literal("blob-late-delete") }),
  z.strictObject({ ...base, kind: z.literal("coordination-error"), code: z.enum(["unreachable", "unknown"]) }),
  z.strictObject({ ...delayed, kind: z.literal("coordination-slow") }),
  z.strictObject({ ...base, kind: z.literal("log-error"), code: z.enum(["unavailable", "unknown"]) }),
  z.strictObject({ ...delayed, kind: z.literal("log-slow") }),
  z.strictObject({ ...base, kind: z.literal("transaction-timeout") }),
  z.strictObject({ ...base, kind: z.literal("latency"), latencyUs: durationUs }),
  z.strictObject({
    ...base,
    kind: z.literal("partition"),
    from: z.array(text),
    to: z.array(text),
    oneWay: z.boolean(),
    durationUs,
  }),
  z.strictObject({
    ...delayed,
    kind: z.literal("rpc-chaos"),
    lossPercent: percent,
    duplicatePercent: percent,
    delayPercent: percent,
    durationUs,
  }),
  z.strictObject({ ...base, kind: z.literal("network-slow"), extraUs: durationUs, durationUs }),
  z.strictObject({ ...base, kind: z.literal("blob-outage"), errorPercent: percent, durationUs }),
  z.strictObject({ ...base, kind: z.literal("coordination-outage"), durationUs }),
  z.strictObject({ ...base, kind: z.literal("lease-loss"), lease: text }),
  z.strictObject({ ...base, kind: z.literal("log-outage"), errorPercent: percent, durationUs }),
  z.strictObject({ ...base, kind: z.literal("disk-error"), code: z.enum(["EIO", "ENOSPC"]), partBytes: z.int().min(0) }),
  z.strictObject({ ...base, kind: z.literal("disk-fsync-failure") }),
  z.strictObject({ ...base, kind: z.literal("disk-short-read"), bytes: z.int().min(1) }),
  z.strictObject({ ...base, kind: z.literal("disk-bit-flip"), bit: z.int() }),
  z.strictObject({
    ...base,
    kind: z.literal("disk-misdirected-write"),
    sectorsAway: z.int(),
    elsewhere: z.int().min(0),
  }),
  z.strictObject({ ...delayed, kind: z.literal("disk-slow") }),
  z.strictObject({ ...base, kind: z.literal("disk-full"), host: text.nullable(), durationUs }),
  z.strictObject({ ...base, kind: z.literal("disk-stall"), host: text.nullable(), durationUs }),
  z.strictObject({ ...base, kind: z.literal("disk-loss"), host: text.nullable() }),
]);

/** A fault plan as read from a file. */
export const faultPlanSchema: z.ZodType<FaultPlan> = z.array(faultSchema).max(100_000);
