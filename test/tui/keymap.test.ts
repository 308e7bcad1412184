import { describe, expect, it, test } from "vitest";
import { helpLines } from "#whitewater/reports/tui/help-lines.js";
import { keyNames } from "#whitewater/reports/tui/key-names.js";
import { KEYMAP, actionOf } from "#whitewater/reports/tui/keymap.js";
import { firstState } from "#whitewater/reports/tui/ui-state.js";
import { textOf } from "#whitewater/reports/views/line.js";

const state = firstState(0, { columns: 80, rows: 24 });

describe("the keys", () => {
  it("have one meaning each, but for = that is a plus without shift", () => {
    const keys = KEYMAP.flatMap((binding) => binding.keys);
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
  });

  it("are all in the help", () => {
    const help = helpLines({ ...state, rows: 200 }, 200).map(textOf).join("\n");
    for (const { keys, help: words } of KEYMAP) {
      expect(help).toContain(words);
      for (const key of keys) expect(help).toContain(key);
    }
  });

  it("all do something", () => {
    for (const { keys } of KEYMAP) for (const key of keys) expect([key, actionOf(key, state)]).not.toEqual([key, null]);
  });

  test.each([
    ["10l", {}, ["1", "0", "l"]],
    [":6\r", {}, [":", "6", "enter"]],
    [" \t\u007f\u001b", {}, ["space", "tab", "backspace", "escape"]],
    ["\u0003\u0000", {}, ["ctrl-c"]],
    ["", { leftArrow: true, shift: true }, ["shift-left"]],
    ["", { rightArrow: true }, ["right"]],
    ["", { tab: true, shift: true }, ["shift-tab"]],
    ["", { delete: true }, ["backspace"]],
    ["d", { ctrl: true }, ["ctrl-d"]],
    ["x", { meta: true }, []],
    ["é漢", {}, ["é", "漢"]],
  ])("%j is %j", (input, key, names) => expect(keyNames(input, key)).toEqual(names));
});
