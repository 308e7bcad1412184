import { planCheckpoint, type PlannedVertex } from "#whitewater/engine/checkpoint/checkpoint-plan.js";
import { describe, expect, test } from "vitest";

/** Vertices of two tasks; inputs "0" for all of vertex 0, "0=" for the task with the same number. */
function vertices(...inputs: readonly (readonly string[])[]): PlannedVertex[] {
  return inputs.map((from, vertex) => ({
    vertex,
    executions: [0, 1].map((subtask) => ({ attempt: 1, vertex, subtask })),
    inputs: from.map((text) => ({ from: Number.parseInt(text, 10), isPointwise: text.endsWith("=") })),
  }));
}

/** Tasks are called "vertex.subtask". */
function planned(job: PlannedVertex[], finished: readonly string[]) {
  const plan = planCheckpoint(job, ({ vertex, subtask }) => finished.includes(`${vertex}.${subtask}`));
  const names = (ids: readonly { vertex: number; subtask: number }[]) => ids.map((id) => `${id.vertex}.${id.subtask}`);
  return {
    trigger: names(plan.toTrigger),
    wait: names(plan.toWaitFor),
    finished: names(plan.finished),
    fully: [...plan.fullyFinished],
  };
}

describe("the plan of a checkpoint", () => {
  test("while everything runs: sources are triggered, everybody is awaited", () => {
    expect(planned(vertices([], [], ["0", "1"]), [])).toEqual({
      trigger: ["0.0", "0.1", "1.0", "1.1"],
      wait: ["0.0", "0.1", "1.0", "1.1", "2.0", "2.1"],
      finished: [],
      fully: [],
    });
  });

  test("behind a shuffle a task gets its barrier from whoever before it still runs", () => {
    expect(planned(vertices([], ["0"]), ["0.0"])).toMatchObject({ trigger: ["0.1"], wait: ["0.1", "1.0", "1.1"], fully: [] });
    expect(planned(vertices([], ["0"]), ["0.0", "0.1"])).toMatchObject({ trigger: ["1.0", "1.1"], fully: [0] });
  });

  test("a task behind one finished task alone is triggered itself", () => {
    expect(planned(vertices([], ["0="]), ["0.1"])).toMatchObject({ trigger: ["0.0", "1.1"], wait: ["0.0", "1.0", "1.1"] });
  });

  test("of two inputs one that still runs is enough", () => {
    const job = vertices([], [], ["0", "1"]);
    expect(planned(job, ["0.0", "0.1"])).toMatchObject({ trigger: ["1.0", "1.1"], fully: [0] });
    expect(planned(job, ["0.0", "0.1", "1.0", "1.1"])).toMatchObject({ trigger: ["2.0", "2.1"], fully: [0, 1] });
  });

  test("a chain of finished vertices is followed to the first that runs", () => {
    const job = vertices([], ["0"], ["1"], ["2"]);
    expect(planned(job, ["0.0", "0.1", "1.0", "1.1"])).toEqual({
      trigger: ["2.0", "2.1"],
      wait: ["2.0", "2.1", "3.0", "3.1"],
      finished: ["0.0", "0.1", "1.0", "1.1"],
      fully: [0, 1],
    });
  });
});
