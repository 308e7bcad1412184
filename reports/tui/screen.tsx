import { Box, Text, useInput } from "ink";
import { useState, useSyncExternalStore, type ReactNode } from "react";
import type { Line } from "../views/line.ts";
import type { Explorer } from "./explorer.ts";
import { paced } from "./frame-pace.ts";
import { headLine } from "./head-line.ts";
import { helpLines } from "./help-lines.ts";
import { keyNames } from "./key-names.ts";
import { actionOf } from "./keymap.ts";
import type { Shelf, Slot } from "./layout.ts";
import { fitLine } from "./line-cut.ts";
import { panelLines, tabsLine } from "./panel-lines.ts";
import { screenPlan } from "./screen-plan.ts";
import { painted, type Theme } from "./theme.ts";
import type { UiState } from "./ui-state.ts";
import type { UiStore } from "./ui-store.ts";

/** At most thirty frames a second. */
const FRAME_MS = 33;

/** The whole screen, of as many columns as the terminal has and one row less. Keys go to the store. */
export function Screen({ store, theme }: { readonly store: UiStore; readonly theme: Theme }): ReactNode {
  const [subscribe] = useState(() => paced((listener) => store.subscribe(listener), FRAME_MS));
  const state = useSyncExternalStore(subscribe, () => store.state);
  useInput((input, key) => {
    for (const name of keyNames(input, key)) {
      const action = actionOf(name, store.state);
      if (action !== null) store.dispatch(action);
    }
  });
  const { explorer } = store;
  const plan = screenPlan(state, explorer);
  if (!plan.fits) return <Row line={[{ text: "too small: at least 40 x 10, q quits", tone: "warn" }]} width={state.columns} theme={theme} />;
  return (
    <Box flexDirection="column" width={state.columns}>
      <Row line={headLine(explorer, state)} width={state.columns} theme={theme} />
      {plan.banner && <Row line={[{ text: explorer.banner ?? "", tone: "bad" }]} width={state.columns} theme={theme} reversed />}
      {explorer.timeline(state).map((line, i) => (
        <Row key={i} line={line} width={state.columns} theme={theme} />
      ))}
      {state.help ? <Help state={state} theme={theme} height={plan.lines} /> : <Panels state={state} explorer={explorer} theme={theme} />}
      {plan.guide.map((line, i) => (
        <Row key={`guide ${i}`} line={line} width={state.columns} theme={theme} />
      ))}
      {plan.status.map((line, i) => (
        <Row key={`status ${i}`} line={line} width={state.columns} theme={theme} />
      ))}
    </Box>
  );
}

function Panels({ state, explorer, theme }: { readonly state: UiState; readonly explorer: Explorer; readonly theme: Theme }): ReactNode {
  const { layout } = screenPlan(state, explorer);
  return (
    <>
      {layout.tabs && <Row line={tabsLine(state.columns, state)} width={state.columns} theme={theme} />}
      {layout.shelves.map((shelf, i) => (
        <ShelfBox key={i} shelf={shelf} state={state} explorer={explorer} theme={theme} />
      ))}
    </>
  );
}

interface ShelfProps {
  readonly shelf: Shelf;
  readonly state: UiState;
  readonly explorer: Explorer;
  readonly theme: Theme;
}

function ShelfBox({ shelf, state, explorer, theme }: ShelfProps): ReactNode {
  return (
    <Box height={shelf.height}>
      {shelf.stacks.map((stack, i) => (
        <Box key={i}>
          {i > 0 && <Divider height={shelf.height} theme={theme} />}
          <Box flexDirection="column">
            {stack.map((slot) => (
              <Panel key={slot.panel} slot={slot} state={state} explorer={explorer} theme={theme} />
            ))}
          </Box>
        </Box>
      ))}
    </Box>
  );
}

function Panel({ slot, state, explorer, theme }: Omit<ShelfProps, "shelf"> & { readonly slot: Slot }): ReactNode {
  const lines = panelLines(slot, explorer.panel(slot.panel, state), state);
  const text = lines.map(({ line, reversed }) => painted(line, theme, reversed)).join("\n");
  return (
    <Box width={slot.width} height={slot.height}>
      <Text wrap="truncate">{text}</Text>
    </Box>
  );
}

function Divider({ height, theme }: { readonly height: number; readonly theme: Theme }): ReactNode {
  const bar = painted([{ text: "│", tone: "dim" }], theme);
  return (
    <Box width={1} height={height}>
      <Text>{Array.from({ length: height }, () => bar).join("\n")}</Text>
    </Box>
  );
}

function Help({ state, theme, height }: { readonly state: UiState; readonly theme: Theme; readonly height: number }): ReactNode {
  const lines = helpLines(state, height);
  return (
    <Box height={height}>
      <Text wrap="truncate">{lines.map((line) => painted(fitLine(line, state.columns), theme)).join("\n")}</Text>
    </Box>
  );
}

interface RowProps {
  readonly line: Line;
  readonly width: number;
  readonly theme: Theme;
  readonly reversed?: boolean;
}

function Row({ line, width, theme, reversed = false }: RowProps): ReactNode {
  return (
    <Box width={width} height={1}>
      <Text wrap="truncate">{painted(fitLine(line, width), theme, reversed)}</Text>
    </Box>
  );
}
