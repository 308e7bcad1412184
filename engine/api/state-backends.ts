import type { StateBackendConfig, StateBackendName } from "../state/state-backend.ts";
import { STATE_BACKENDS } from "../state/state-backend.ts";
import { JobDefinitionError, requireWhole } from "./job-definition-error.ts";

const WHERE = "the state backend";

/** The sizes that each kind of backend understands, with the least that makes sense. Bytes. */
const SIZES = {
  writeBufferBytes: { least: 256, of: ["lsm", "sqlite"] },
  tableBytes: { least: 256, of: ["lsm"] },
  levelOneBytes: { least: 256, of: ["lsm"] },
  blockCacheBytes: { least: 0, of: ["lsm"] },
  materializeAfterBytes: { least: 1, of: ["changelog"] },
} as const;

/**
 * What `setStateBackend` was given, checked: the name of a backend, or a name with sizes. A size that the
 * backend has no use for is refused, as is a name that does not exist.
 */
export function checkedStateBackend(given: StateBackendName | StateBackendConfig): StateBackendConfig {
  const config: StateBackendConfig = typeof given === "string" ? { name: given } : given;
  const { name } = config;
  if (!STATE_BACKENDS.includes(name)) {
    throw new JobDefinitionError(WHERE, `there is none called ${JSON.stringify(name)}`, `Choose one of: ${STATE_BACKENDS.join(", ")}`);
  }
  const kinds = name.split(":");
  for (const [size, { least, of }] of Object.entries(SIZES)) {
    const value = config[size as keyof typeof SIZES];
    if (value === undefined) continue;
    if (!of.some((kind) => kinds.includes(kind))) {
      const wayOut = `Leave it out, or choose a backend that is made of ${of.join(" or ")}`;
      throw new JobDefinitionError(WHERE, `${size} means nothing to ${name}`, wayOut);
    }
    requireWhole(value, least, WHERE, size, " bytes");
  }
  return config;
}
