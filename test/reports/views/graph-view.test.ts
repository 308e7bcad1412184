import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHANNEL_CREDIT } from "#whitewater/engine/base/limits.js";
import { MAX_WATERMARK, MIN_WATERMARK } from "#whitewater/engine/base/units.js";
import type { JobMaster } from "#whitewater/engine/runtime/job-master.js";
import type { Journey } from "#whitewater/reports/travel/journey.js";
import { diffGraphs } from "#whitewater/reports/views/graph-diff.js";
import type { GraphFacts, InputFacts, SubtaskFacts } from "#whitewater/reports/views/graph-facts.js";
import { foldOperator } from "#whitewater/reports/views/graph-lines.js";
import { graphView, graphViewAt } from "#whitewater/reports/views/graph-view.js";
import { graphFactsOf } from "#whitewater/reports/views/graph-world.js";
import { show } from "#whitewater/reports/views/show.js";
import type { World } from "#whitewater/simulator/world/world.js";
import { journeyTo, stepWhere, textsOf } from "./journeys.js";

function subtasksIn({ operators }: GraphFacts): readonly SubtaskFacts[] {
  return operators.flatMap(({ subtasks }) => subtasks);
}

function channelsIn(facts: GraphFacts): readonly InputFacts[] {
  return subtasksIn(facts).flatMap(({ inputs }) => inputs);
}

function has(world: World, which: (subtask: SubtaskFacts) => boolean): boolean {
  return subtasksIn(graphFactsOf(world)).some(which);
}

function claimsIn({ processes }: World): readonly JobMaster[] {
  return processes.flatMap(({ kind, engine }) => (kind === "job-manager" && engine.leading && engine.master !== null ? [engine.master] : []));
}

/** Aligned checkpoints, crashes, a pause. */
let flights: Journey;
/** Barriers that overtake, back-pressure, another parallelism. */
let hotKey: Journey;
/** Two versions of the job; a leader that was deposed and does not know it. */
let upgrade: Journey;

beforeAll(() => {
  flights = journeyTo("flights", "4");
  hotKey = journeyTo("hot-key", "5");
  upgrade = journeyTo("rolling-upgrade", "6");
}, 120_000);

afterAll(() => {
  for (const journey of [flights, hotKey, upgrade]) journey.machine.release();
});

describe("the layout of a job", () => {
  test("is there before anybody leads, and runs nowhere", () => {
    const facts = graphFactsOf(flights.machine.seek(0));
    expect(facts.job).toEqual({ name: "Flights", version: 1, end: null, phase: null, leaders: [], lastFailure: null });
    expect(facts.operators.map(({ id, parallelism }) => [id, parallelism])).toEqual([
      ["flights", 4],
      ["delays -> airport-delays", 4],
    ]);
    expect(facts.operators[1]?.feeds).toEqual([{ edge: 0, from: "flights", partitioning: "hash", sideOutput: null }]);
    expect(new Set(subtasksIn(facts).map(({ status }) => status))).toEqual(new Set(["absent"]));
  });

  test("has every subtask where its leader deployed it", () => {
    const world = flights.machine.seek(400);
    const facts = graphFactsOf(world);
    const tasks = world.processes.flatMap((one) => (one.kind === "worker" ? one.engine.tasks.map((task) => [task.name, one.process.name, one.process.host.name, task.id.attempt]) : []));
    const byName = (left: readonly unknown[], right: readonly unknown[]): number => (String(left[0]) < String(right[0]) ? -1 : 1);
    expect(subtasksIn(facts).map(({ key, worker, host, attempt }) => [key, worker, host, attempt]).sort(byName)).toEqual(tasks.sort(byName));
    expect(subtasksIn(facts)).toHaveLength(8);
    expect(facts.job.leaders).toEqual([{ process: "jm-1", epoch: 1, phase: "running", holdsLease: true }]);
  });

  test("says of which version it is", () => {
    const versions = new Set<number>();
    for (let step = 0; step <= upgrade.tape.steps; step += 97) versions.add(graphFactsOf(upgrade.machine.seek(step)).job.version);
    expect(versions).toEqual(new Set([1, 2]));
  });
});

describe("a subtask", () => {
  test("whose process died is lost, and says where it was", () => {
    const step = stepWhere(flights, 20, (world) => has(world, ({ status }) => status === "lost"));
    const facts = graphFactsOf(flights.machine.seek(step));
    const down = facts.processes.filter(({ status }) => status === "down").map(({ name }) => name);
    const lost = subtasksIn(facts).filter(({ status }) => status === "lost");
    expect(lost.length).toBeGreaterThan(0);
    for (const { worker, host, watermarkMs } of lost) {
      expect(down).toContain(worker);
      expect([host, watermarkMs]).toEqual([`host-${worker?.split("-")[1]}`, null]);
    }
    expect(textsOf(graphView(facts, null).lines).filter((text) => /\[\d\] lost +worker-\d +! its process on host-\d is gone/.test(text))).toHaveLength(lost.length);
  });

  test("whose process stands still says so", () => {
    const step = stepWhere(flights, 20, (world) => has(world, ({ pausedUntilUs }) => pausedUntilUs !== null));
    const world = flights.machine.seek(step);
    const facts = graphFactsOf(world);
    const paused = facts.processes.filter(({ status }) => status === "paused");
    expect(paused).toHaveLength(1);
    for (const { worker, pausedUntilUs } of subtasksIn(facts)) {
      expect(pausedUntilUs).toBe(worker === paused[0]?.name ? paused[0]?.pausedUntilUs : null);
    }
    expect(paused[0]?.pausedUntilUs).toBeGreaterThan(world.nowUs);
    expect(textsOf(graphView(facts, null).lines).filter((text) => text.includes("! paused until"))).not.toHaveLength(0);
  });

  test("of an earlier leader is not what counts, for as long as it lives", () => {
    const isOld = ({ isCurrent, status }: SubtaskFacts): boolean => !isCurrent && status === "running";
    const step = stepWhere(upgrade, 7, (world) => has(world, isOld));
    const facts = graphFactsOf(upgrade.machine.seek(step));
    const old = subtasksIn(facts).filter(isOld);
    const [leader] = claimsIn(upgrade.machine.world);
    for (const { attempt } of old) expect(leader?.regions.every((region) => region.attempt === null || region.attempt.attempt > (attempt ?? 0))).toBe(true);
    expect(textsOf(graphView(facts, null).lines).filter((text) => text.includes("! old attempt"))).toHaveLength(old.length);
    expect(new Set(subtasksIn(facts).map(({ key }) => key)).size).toBe(subtasksIn(facts).length);
  });

  test("that an earlier leader deployed is an old attempt to one that has not deployed anything yet", () => {
    const isNew = (world: World): boolean => claimsIn(world)[0]?.regions.every(({ attempt }) => attempt === null) === true;
    const step = stepWhere(upgrade, 3, (world) => isNew(world) && has(world, ({ status }) => status === "running"));
    const facts = graphFactsOf(upgrade.machine.seek(step));
    const running = subtasksIn(facts).filter(({ status }) => status === "running");
    expect(running.map(({ isCurrent }) => isCurrent)).toEqual(running.map(() => false));
    expect(running[0]?.key).toMatch(/\[\d\]$/);
    expect(textsOf(graphView(facts, null).lines).filter((text) => text.includes("! old attempt"))).toHaveLength(running.length);
  });

  test("takes no input while an output has no room", () => {
    const step = stepWhere(hotKey, 20, (world) => has(world, ({ isBackPressured }) => isBackPressured));
    for (const { isBackPressured, outputs, status } of subtasksIn(graphFactsOf(hotKey.machine.seek(step)))) {
      const isFull = outputs.some(({ credit, backlog }) => credit === 0 || backlog.buffers > 0);
      expect(isBackPressured).toBe(status === "running" && isFull);
    }
  });
});

describe("a leader", () => {
  test("that lost its lease and does not know it leads without it", () => {
    const step = stepWhere(upgrade, 7, (world) => graphFactsOf(world).job.leaders.some(({ holdsLease }) => !holdsLease));
    const { job } = graphFactsOf(upgrade.machine.seek(step));
    const [leader] = job.leaders;
    expect(upgrade.machine.world.coordination.peekLease("job/leadership")).not.toEqual(expect.objectContaining({ holder: leader?.process, epoch: leader?.epoch }));
  });
});

describe("a channel", () => {
  test("never holds more than its receiver granted", () => {
    let buffers = 0;
    for (let step = 0; step <= hotKey.tape.steps; step += 61) {
      const facts = graphFactsOf(hotKey.machine.seek(step));
      for (const subtask of subtasksIn(facts)) {
        for (const { key, edge, fromSubtask, queue, restored, network, from } of subtask.inputs) {
          const sender = subtasksIn(facts).find((one) => one.operator === from && one.subtask === fromSubtask && one.attempt === subtask.attempt);
          const output = sender?.outputs.find((one) => one.edge === edge && one.toSubtask === subtask.subtask);
          buffers += queue.buffers + network.buffers;
          if (output !== undefined) expect(queue.buffers - restored.buffers + network.buffers + output.credit, `${key} at ${step}`).toBeLessThanOrEqual(CHANNEL_CREDIT);
        }
      }
    }
    expect(buffers).toBeGreaterThan(100);
  });

  test.each([
    ["aligned", "flights"],
    ["with barriers that overtake", "hot-key"],
  ])("has a barrier from when it is forwarded to when it is received (%s)", (_mode, name) => {
    const journey = name === "flights" ? flights : hotKey;
    let forwarded = 0;
    let received = 0;
    for (let step = 1; step <= journey.tape.steps && forwarded + received < 60; step += 1) {
      for (const { event, subject, x: checkpointId, y } of journey.tape.pointsOf(step)) {
        if (event !== "barrierForwarded" && event !== "barrierReceived") continue;
        const facts = graphFactsOf(journey.machine.seek(step));
        const task = subtasksIn(facts).find(({ key }) => key === subject);
        if (event === "barrierReceived") {
          received += 1;
          expect(task?.inputs[y]?.barriers.map((barrier) => barrier.checkpointId)).not.toContain(checkpointId);
          continue;
        }
        const channels = channelsIn(facts).filter(({ from, fromSubtask }) => from === task?.operator && fromSubtask === task.subtask);
        forwarded += 1;
        for (const { key, barriers } of channels) expect([key, barriers.map((barrier) => barrier.checkpointId)]).toEqual([key, expect.arrayContaining([checkpointId])]);
      }
    }
    expect(forwarded).toBeGreaterThan(5);
    expect(received).toBeGreaterThan(5);
  });

  test("is blocked for the checkpoint that its task aligns, and shows it", () => {
    const step = stepWhere(flights, 20, (world) => channelsIn(graphFactsOf(world)).some(({ isBlocked }) => isBlocked));
    const facts = graphFactsOf(flights.machine.seek(step));
    for (const { alignment, inputs } of subtasksIn(facts)) {
      const blocked = inputs.filter(({ isBlocked }) => isBlocked);
      for (const { aligned } of blocked) expect(aligned).toBe(alignment?.checkpointId);
      expect(blocked.length).toBe(alignment?.arrived ?? 0);
    }
    expect(textsOf(graphView(facts, null).lines).some((text) => /\d:q\d\S* .*blocked has \d+/.test(text))).toBe(true);
  });
});

describe("what changed", () => {
  test("is nothing where nothing happened", () => {
    const facts = graphFactsOf(flights.machine.seek(700));
    expect(diffGraphs(facts, graphFactsOf(flights.machine.seek(700)))).toEqual({ job: false, processes: [], subtasks: [], channels: [], gone: [] });
    expect(textsOf(graphView(facts, facts).lines).filter((text) => text.slice(0, -1).includes("*") && !text.includes("changed by this step"))).toEqual([]);
  });

  test("is the subtask that took a snapshot, and the channel that it took a buffer from", () => {
    let snapshots = 0;
    let buffers = 0;
    for (let step = 1; step <= flights.tape.steps && snapshots + buffers < 60; step += 1) {
      for (const { event, subject, x } of flights.tape.pointsOf(step)) {
        if (event !== "snapshotTaken" && event !== "bufferConsumed") continue;
        const { facts, lines } = graphViewAt(flights, step);
        const marked = textsOf(lines).filter((text) => text.includes("*"));
        expect(marked.length).toBeGreaterThan(1);
        if (event === "snapshotTaken") {
          snapshots += 1;
          expect(facts.changes.subtasks).toContain(subject);
          continue;
        }
        buffers += 1;
        const channel = subtasksIn(facts).find(({ key }) => key === subject)?.inputs[x];
        expect(facts.changes.channels).toContain(channel?.key);
      }
    }
    expect(Math.min(snapshots, buffers)).toBeGreaterThan(5);
  });

  test("is to be brought into sight, folded or not", () => {
    const step = stepWhere(flights, 1, (world) => {
      const now = graphFactsOf(world);
      const { subtasks, channels } = graphViewAt(flights, now.step).facts.changes;
      return subtasks.length === 0 && channels.length === 1;
    }, 701);
    const { facts, lines, changedLine } = graphViewAt(flights, step);
    const [channel = ""] = facts.changes.channels;
    expect(textsOf(lines)[changedLine ?? -1]).toContain(channel.replace(/^.*(\[\d+\])<.*$/, "$1"));
    expect(textsOf(lines)[(changedLine ?? -1) + 1]).toMatch(/<- .*\*\d:q/);
    const operator = facts.operators[1]?.id ?? "";
    const folded = graphViewAt(flights, step, [operator]);
    expect(textsOf(folded.lines)[folded.changedLine ?? -1]).toMatch(/^\* \[\+\] delays/);
    expect(graphView(facts, facts).changedLine).toBeNull();
  });

  test("is what is not there any more, too", () => {
    const now = graphFactsOf(flights.machine.seek(400));
    const [first, ...others] = now.operators;
    const fewer = { ...now, operators: [{ ...first, subtasks: first?.subtasks.slice(1) }, ...others] } as GraphFacts;
    expect(diffGraphs(now, fewer).gone).toEqual(["flights[0]"]);
    expect(textsOf(graphView(fewer, now).lines)).toContain("* flights[0] is gone");
    expect(diffGraphs(fewer, now).subtasks).toEqual(["flights[0]"]);
  });
});

describe("the lines of a graph", () => {
  test("fold by operator, into sums", () => {
    const facts = graphFactsOf(hotKey.machine.seek(800));
    const [, levels] = facts.operators;
    const id = levels?.id ?? "";
    const whole = graphView(facts, null);
    const folded = graphView(facts, null, [id]);
    expect(whole.rows.filter((row) => row.operator === id)).toHaveLength(5);
    expect(folded.rows.filter((row) => row.operator === id).map((row) => row.id)).toEqual([id]);
    for (const { rows, lines } of [whole, folded]) {
      const texts = textsOf(lines);
      for (const row of rows) expect(texts[row.line]).toContain(row.id === row.operator ? row.id : row.id.slice(row.operator.length));
    }
    if (levels === undefined) throw new Error("there is one");
    const inputs = levels.subtasks.flatMap((subtask) => subtask.inputs);
    const sum = foldOperator(levels);
    expect(sum.states).toEqual({ running: 4 });
    expect(sum.queued.records).toBe(inputs.map(({ queue }) => queue.records).reduce((left, right) => left + right));
    expect(sum.queued.buffers).toBeGreaterThan(0);
    expect(sum.watermarkMs).toBe(Math.min(...levels.subtasks.map(({ watermarkMs }) => watermarkMs ?? MAX_WATERMARK)));
    expect(sum.watermarkMs).toBe(MIN_WATERMARK);
    const text = textsOf(folded.lines).find((one) => one.includes("4 running"));
    expect(text).toContain(`wm none yet  q${sum.queued.buffers}(${sum.queued.records})`);
  });

  test("have what matters in the first 78 columns", () => {
    let rows = 0;
    for (const journey of [flights, hotKey, upgrade]) {
      for (let step = 0; step <= journey.tape.steps; step += 101) {
        const { lines } = graphView(graphFactsOf(journey.machine.seek(step)), null);
        for (const text of textsOf(lines)) {
          const isSubtask = /^[* ] {5}\[\d+\] /.test(text);
          // What people wrote may be longer.
          if (text.startsWith("  last failure: ")) continue;
          // Of a subtask, what it is, where, what is wrong with it, its attempt, and if nothing is, how far it is.
          const length = isSubtask ? text.replace(text.includes("!") ? / {2}wm .*$/ : / {2}(ckpt|back-pressured|input ended|from ckpt) .*$/, "").length : text.length;
          expect(length, text).toBeLessThanOrEqual(78);
          rows += isSubtask ? 1 : 0;
        }
      }
    }
    expect(rows).toBeGreaterThan(500);
  });

  test("show nothing that a name could do to a terminal", () => {
    const text = JSON.stringify(graphFactsOf(flights.machine.seek(400))).replaceAll("flights", "\\u001b[2Jflights");
    const facts = JSON.parse(text) as GraphFacts;
    expect(facts.operators[0]?.id).toBe("\u001b[2Jflights");
    const texts = textsOf(graphView(facts, null).lines);
    expect(texts.join("\n")).not.toMatch(/\u001b/);
    expect(texts.some((one) => one.includes("\\u{1b}[2Jflights x4"))).toBe(true);
  });
});

test("looking at a graph changes nothing", () => {
  for (const step of [0, 333, 1500, 2240]) {
    const world = flights.machine.seek(step);
    const before = world.stateHash();
    graphFactsOf(world);
    expect(world.stateHash()).toBe(before);
  }
  flights.machine.seek(flights.tape.steps);
  expect(flights.machine.deviation).toBeNull();
});

test("--show graph gives plain data, in whatever order it is asked", () => {
  const asked = [640, 639, 641, 400, 639];
  for (const step of asked) {
    const { facts } = show("graph", flights, step);
    expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
    const now = graphFactsOf(flights.machine.seek(step));
    expect(facts).toEqual({ ...now, changes: diffGraphs(graphFactsOf(flights.machine.seek(step - 1)), now) });
  }
  expect(show("graph", flights, 0).facts).toEqual(expect.objectContaining({ step: 0, changes: { job: false, processes: [], subtasks: [], channels: [], gone: [] } }));
});
