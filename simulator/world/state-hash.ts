import { structuralHash } from "../../engine/base/codec.ts";
import type { ChainedOperator } from "../../engine/operators/operator-chain.ts";
import type { Buffer, StreamFrame } from "../../engine/runtime/buffer.ts";
import type { JobManager } from "../../engine/runtime/job-manager.ts";
import type { TaskManager } from "../../engine/runtime/task-manager.ts";
import type { Task } from "../../engine/runtime/task.ts";
import type { QuietFiles } from "../../engine/state/ordered-store.ts";
import type { World } from "./world.ts";

/**
 * A hash of what a World is at this moment, not of how it came to be: two runs that are in the same state
 * have the same hash, whatever happened before. Virtual time and the contents of the event queue do not
 * count; what is in hosts, processes and services does. 8 hexadecimal digits. Changes nothing.
 */
export function stateHash(world: World): string {
  const view = {
    processes: world.processes.map((one) => ({
      name: one.process.name,
      state: one.kind === "worker" ? workerView(one.engine, world.quietFilesOf(one.process.host)) : jobManagerView(one.engine),
    })),
    hosts: world.hosts.map((host) => ({ name: host.name, up: host.up, disk: world.diskOf(host).inspect() })),
    blobs: world.blobs.inspect(),
    registers: world.coordination.registers().map(({ key, value }) => ({ key, value })),
    log: world.log.inspect(),
    connections: world.network.inspect().connections.map(({ from, to, status, toAcceptor, toOpener }) => ({
      from,
      to,
      status,
      toAcceptor: toAcceptor.map(frameView),
      toOpener: toOpener.map(frameView),
    })),
  };
  return (structuralHash(view) >>> 0).toString(16).padStart(8, "0");
}

function frameView(frame: StreamFrame): unknown {
  if (frame.kind === "barrier") return frame.barrier;
  return frame.kind === "credit" ? frame.buffers : bufferView(frame);
}

function bufferView({ values, timestamps, event }: Buffer): unknown {
  return { values, timestamps, event };
}

function jobManagerView({ leading, master }: JobManager): unknown {
  if (master === null) return { leading };
  return {
    leading,
    phase: master.phase,
    regions: master.regions.map(({ phase, attempt }) => ({ phase, attempt: attempt?.attempt ?? null })),
    workers: master.registry.workers.map(({ address, incarnation }) => ({ address, incarnation })),
    retained: master.store.retained.map(({ file }) => file),
    pending: (master.coordinator?.pending ?? []).map((one) => ({ id: one.checkpointId, awaited: one.awaited() })),
  };
}

function workerView({ epoch, leader, registered, tasks }: TaskManager, files: QuietFiles): unknown {
  return { epoch, leader, registered, tasks: tasks.map((task) => taskView(task, files)) };
}

function taskView(task: Task, files: QuietFiles): unknown {
  return {
    id: task.id,
    state: task.state,
    watermarkMs: task.watermarks.watermarkMs,
    mails: task.mailbox.size,
    snapshots: task.checkpointing.snapshotsRunning,
    inputs: (task.input?.gate.channels ?? []).map((channel) => ({
      blocked: channel.blocked,
      ended: channel.ended,
      waiting: channel.waiting().map(bufferView),
    })),
    outputs: task.output.channels.map((channel) => {
      const { credit, backlog, collecting } = channel.inspect();
      return { credit, backlog: backlog.map(bufferView), collecting };
    }),
    // A task that is over keeps no state: its backends are disposed of, and their files are gone.
    operators: isOver(task) ? [] : task.chain.operators.map((operator) => operatorView(operator, files)),
  };
}

function isOver({ state }: Task): boolean {
  return state === "finished" || state === "failed" || state === "cancelled";
}

function operatorView({ node, keyed, lists }: ChainedOperator, files: QuietFiles): unknown {
  const timers = keyed?.inspectTimers() ?? null;
  return {
    uid: node.uid,
    entries: new Set(keyed?.entries(files) ?? []),
    timers: new Set(timers === null ? [] : [...timers.eventTime, ...timers.processingTime]),
    lists: lists.bytes(),
  };
}
