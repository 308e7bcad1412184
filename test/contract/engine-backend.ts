import { STATE_BACKENDS } from "#whitewater/engine/state/state-backend.js";
import type { StateBackendName } from "#whitewater/engine/state/state-backend.js";
import { loadStateLibraries } from "#whitewater/scenarios/load-state-libraries.js";
import type { BackendUnderTest } from "./backend-under-test.ts";
import { configuredBackend } from "./configured-backend.ts";

const libraries = await loadStateLibraries();

/** A backend as a job's configuration names it. */
export function engineBackend(name: StateBackendName): BackendUnderTest {
  return configuredBackend(name, libraries);
}

/** Every backend that a job can name. The heap comes first. */
export const engineBackends: readonly BackendUnderTest[] = STATE_BACKENDS.map(engineBackend);
