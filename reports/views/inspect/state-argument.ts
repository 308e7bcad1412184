import type { ListWindow } from "./window.ts";
import { FIRST_WINDOW } from "./window.ts";

/** What "sum~reference,key=ORD,from=50" asks for. */
export interface StateArgument {
  readonly operator: string;
  /** Text of what it is compared with: a place in the run, or "reference"; null: the previous step. */
  readonly against: string | null;
  readonly window: ListWindow;
}

/** Options stand at the end, each behind a comma; names of operators may have commas of their own. */
export function parseStateArgument(text: string): StateArgument {
  const { name, window } = parseWindow(text);
  const tilde = name.lastIndexOf("~");
  return tilde < 0 ? { operator: name, against: null, window } : { operator: name.slice(0, tilde), against: name.slice(tilde + 1), window };
}

/** "host-1,key=tmp,from=50,limit=200": what is named, and which part of a long list of it is wanted. */
export function parseWindow(text: string): { readonly name: string; readonly window: ListWindow } {
  let name = text;
  let window = FIRST_WINDOW;
  for (;;) {
    const option = /^(.*),\s*(?:key=([^,]*)|(from|limit)=(\d+))$/s.exec(name) ?? /^()(?:key=([^,]*)|(from|limit)=(\d+))$/s.exec(name);
    if (option === null) return { name, window };
    name = option[1] as string;
    if (option[2] !== undefined) window = { ...window, filter: option[2] };
    else window = option[3] === "from" ? { ...window, offset: Number(option[4]) } : { ...window, limit: Number(option[4]) };
  }
}
