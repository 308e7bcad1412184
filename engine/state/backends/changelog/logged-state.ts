import { refuseMerging } from "../../namespace-merging.ts";
import type { Namespace, NamespacedState } from "../../state.ts";
import type { TypeSerializer } from "../../type-serializer.ts";
import type { ChangeLog } from "./change-log.ts";

/**
 * A primitive of the nested backend whose mutations are logged as well; reads go straight through. The log is
 * written first: what a serializer refuses changes nothing.
 */
export abstract class LoggedState<S> {
  protected readonly inner: S;
  protected readonly log: ChangeLog;
  /** Its place in the table of the log. */
  protected readonly index: number;
  protected readonly serializer: TypeSerializer<unknown>;
  protected namespace: Namespace = "";
  private readonly nested: NamespacedState<S>;

  constructor(nested: NamespacedState<S>, log: ChangeLog, index: number, serializer: TypeSerializer<unknown>) {
    this.nested = nested;
    this.inner = nested.state;
    this.log = log;
    this.index = index;
    this.serializer = serializer;
  }

  get state(): this {
    return this;
  }

  setNamespace(namespace: Namespace): void {
    this.namespace = namespace;
    this.nested.setNamespace(namespace);
  }

  mergeNamespaces(_target: Namespace, _sources: readonly Namespace[]): void {
    refuseMerging();
  }

  /** What expired is dropped without a trace in the log: nobody sees it, and a restore may bring it back. */
  cleanUpExpired(): void {
    this.nested.cleanUpExpired?.();
  }

  protected logClear(): void {
    this.log.clear(this.index, this.namespace);
  }
}
