/** Every bound in one place: whatever grows has a limit here. */

/** Upper bound of the maximum parallelism (Flink: KeyGroupRangeAssignment.UPPER_BOUND_MAX_PARALLELISM). */
export const MAX_PARALLELISM_LIMIT: number = 1 << 15;
/** Most elements in one network buffer. */
export const BUFFER_ELEMENTS_LIMIT = 64;
/** Buffers a receiver grants each of its input channels. */
export const CHANNEL_CREDIT = 8;
/** Buffers a task may send beyond its credit within one step before that counts as a bug. */
export const OVERDRAFT_BUFFERS_LIMIT: number = 1 << 16;
/** Timers fired in one step before the watermark goes on in the next. */
export const TIMERS_PER_STEP = 128;
/** Entries written by one step of the asynchronous part of a snapshot. */
export const SNAPSHOT_ENTRIES_PER_STEP = 64;
/** Checkpoint ids whose abort a task remembers before their barrier arrives (Flink: maxRecordAbortedCheckpoints). */
export const ABORTED_CHECKPOINTS_REMEMBERED = 128;
/** Requests waiting in the checkpoint coordinator (Flink: CheckpointRequestDecider). */
export const CHECKPOINT_REQUESTS_LIMIT = 1000;
/** Attempts of one storage operation before it counts as failed. */
export const STORAGE_ATTEMPTS = 4;
/** Deepest nesting the structural codec accepts. */
export const CODEC_DEPTH_LIMIT = 64;
/** Longest bigint the structural codec keeps. */
export const CODEC_BIGINT_BYTES_LIMIT: number = 1 << 24;
/** Steps of one simulated run before it counts as stuck. */
export const STEPS_LIMIT = 5_000_000;
/** Frames under way in one direction of one connection. */
export const FRAMES_UNDER_WAY_LIMIT: number = 1 << 16;
/** Delay before the first repetition of a call to the external log; doubles with each further one. */
export const RETRY_DELAY_US = 20_000;
/** Records of one fetch from the external log. */
export const FETCH_RECORDS_LIMIT: number = BUFFER_ELEMENTS_LIMIT * 4;
/** How long a fetch waits for the first record. */
export const FETCH_WAIT_US = 500_000;
/** Records of one append to the external log. */
export const APPEND_RECORDS_LIMIT: number = BUFFER_ELEMENTS_LIMIT;
/** Records that a sink holds for a log that does not take them, before it gives up. */
export const SINK_QUEUE_RECORDS_LIMIT: number = 1 << 20;
/** Longest wait before a restart (24 days), so that its jitter can be drawn from 32 bits. */
export const RESTART_BACKOFF_LIMIT_MS = 2_147_483_647;
/** Task-local copies that one subtask keeps: those of checkpoints whose end it was never told of would add up. */
export const LOCAL_COPIES_LIMIT = 8;
/** Bytes of a task-local copy written in one step. */
export const LOCAL_COPY_BYTES_PER_STEP: number = 1 << 18;
/** Checkpoints whose barriers an at-least-once task counts at the same time (Flink: MAX_CHECKPOINTS_TO_TRACK). */
export const BARRIERS_TRACKED_LIMIT = 50;
/** Shared files that a worker keeps on its host, and their bytes. */
export const CACHED_FILES_LIMIT = 4096;
export const CACHED_BYTES_LIMIT: number = 1 << 30;
