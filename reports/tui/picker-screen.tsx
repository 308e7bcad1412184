import { Box, Text, useInput } from "ink";
import { useSyncExternalStore, type ReactNode } from "react";
import { keyNames } from "./key-names.ts";
import { LEAST_COLUMNS, LEAST_ROWS } from "./layout.ts";
import { fitLine } from "./line-cut.ts";
import { pickerAction } from "./picker-keys.ts";
import { pickerScreen } from "./picker-lines.ts";
import type { PickerStore } from "./picker-store.ts";
import { painted, type Theme } from "./theme.ts";

/** The picker: as many columns as the terminal has and one row less. Keys go to the store. */
export function PickerScreen({ store, theme }: { readonly store: PickerStore; readonly theme: Theme }): ReactNode {
  const state = useSyncExternalStore(
    (listener) => store.subscribe(listener),
    () => store.state,
  );
  useInput((input, key) => {
    for (const name of keyNames(input, key)) {
      const action = pickerAction(name, store.state);
      if (action !== null) store.dispatch(action);
    }
  });
  const { columns, rows } = state;
  if (columns < LEAST_COLUMNS || rows < LEAST_ROWS) return <Text>too small: at least 40 x 10, q quits</Text>;
  const text = pickerScreen(state).map(({ line, reversed }) => painted(fitLine(line, columns), theme, reversed));
  return (
    <Box width={columns} height={text.length}>
      <Text wrap="truncate">{text.join("\n")}</Text>
    </Box>
  );
}
