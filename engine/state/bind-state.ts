import { present, unreachable } from "../base/assert.ts";
import type { StateDescriptor } from "./descriptors.ts";
import { withCleanUps } from "./expiry-clean-ups.ts";
import { ttlSerializer } from "./serializers/ttl-serializer.ts";
import type { KeyedState, NamespacedState } from "./state.ts";
import { ttlConfig } from "./ttl-config.ts";
import { TtlFoldingState, replacingFold } from "./ttl/ttl-folding-state.ts";
import { TtlListState } from "./ttl/ttl-list-state.ts";
import { TtlMapState } from "./ttl/ttl-map-state.ts";
import { TtlValueState } from "./ttl/ttl-value-state.ts";
import type { TtlClock } from "./ttl/ttl-value.ts";

/**
 * Binds a state for user code: straight to the backend's primitive, or, with a time to live, to one before
 * it that wraps each element with the time of its last update. The backend then keeps wrapped elements, under
 * a serializer of their own, and gets the time to live for clean-up alone. Binding such a state twice gives
 * two wrappers of one primitive. Throws InvariantError for a time to live that makes no sense, and
 * StateDefinitionError for a clean-up that the backend does not have.
 */
export function bindState<S>(
  backend: KeyedState,
  descriptor: StateDescriptor<S>,
  clock: TtlClock,
): NamespacedState<S> {
  if (descriptor.ttl === null) return backend.bind(descriptor);
  // The descriptor's kind decides which primitive S is.
  return bindWithTtl(backend, descriptor, clock) as unknown as NamespacedState<S>;
}

function bindWithTtl(
  backend: KeyedState,
  descriptor: StateDescriptor<unknown>,
  clock: TtlClock,
): TtlValueState | TtlListState | TtlMapState | TtlFoldingState {
  const { kind, name } = descriptor;
  const wanted = ttlConfig(present(descriptor.ttl, "state with a time to live is wrapped"));
  const ttl = withCleanUps(wanted, name, backend.expiryCleanUps);
  const kept: StateDescriptor<any> = {
    ...descriptor,
    defaultValue: null,
    serializer: ttlSerializer(descriptor.serializer),
    ttl,
  };
  switch (kind) {
    case "value":
      return new TtlValueState(backend.bind(kept), ttl, clock, descriptor.defaultValue);
    case "list":
      return new TtlListState(backend.bind(kept), ttl, clock);
    case "map":
      return new TtlMapState(backend.bind(kept), ttl, clock);
    case "reducing":
    case "aggregating": {
      const fold = present(descriptor.fold, `${kind} state "${name}" says how it folds`);
      const bound = backend.bind({ ...kept, fold: replacingFold(fold, ttl, clock) });
      return new TtlFoldingState(bound, ttl, clock, fold);
    }
    default:
      return unreachable(kind, "bindState");
  }
}
