import type { Key } from "ink";

const CONTROL: Readonly<Record<string, string>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\u007f": "backspace",
  "\b": "backspace",
  "\u001b": "escape",
  " ": "space",
};

/**
 * The names of the keys in one piece of input: "h", "ctrl-d", "shift-left", "enter". What is typed fast or pasted
 * comes in one piece and is several keys.
 */
export function keyNames(input: string, key: Partial<Key>): readonly string[] {
  const special = specialName(key);
  if (special !== null) return [special];
  if (key.ctrl === true && /^[a-z]$/.test(input)) return [`ctrl-${input}`];
  if (key.meta === true) return [];
  return [...input].map(nameOfCharacter).filter((name) => name !== "");
}

function specialName(key: Partial<Key>): string | null {
  const shift = key.shift === true ? "shift-" : "";
  if (key.leftArrow === true) return `${shift}left`;
  if (key.rightArrow === true) return `${shift}right`;
  if (key.upArrow === true) return `${shift}up`;
  if (key.downArrow === true) return `${shift}down`;
  if (key.pageUp === true) return "page-up";
  if (key.pageDown === true) return "page-down";
  if (key.home === true) return "home";
  if (key.end === true) return "end";
  if (key.return === true) return "enter";
  if (key.tab === true) return `${shift}tab`;
  if (key.backspace === true || key.delete === true) return "backspace";
  return key.escape === true ? "escape" : null;
}

function nameOfCharacter(character: string): string {
  const known = CONTROL[character];
  if (known !== undefined) return known;
  const code = character.codePointAt(0) ?? 0;
  if (code >= 1 && code <= 26) return `ctrl-${String.fromCodePoint(code + 96)}`;
  return code < 32 ? "" : character;
}

/** What a key types into a prompt; "" for those that type nothing. */
export function textOfKey(name: string): string {
  if (name === "space") return " ";
  return [...name].length === 1 ? name : "";
}
