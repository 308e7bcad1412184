import { describe } from "vitest";
import { engineBackend } from "./engine-backend.ts";
import { manyKeysTest } from "./large-state.ts";

const lsm = engineBackend("lsm");

describe("lsm backend, a million keys:", () => manyKeysTest({ ...lsm, budgets: { ...lsm.budgets, manyKeys: 1_000_000 } }));
