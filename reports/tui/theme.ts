import type { Line, Tone } from "../views/line.ts";
import { asciiLine } from "./line-cut.ts";

/** How lines become what a terminal shows. */
export interface Theme {
  readonly colour: boolean;
  readonly unicode: boolean;
}

export interface ThemeWishes {
  /** False: no colours, as `--no-color` says. */
  readonly colour: boolean;
  readonly ascii: boolean;
}

/** What the environment says a terminal can do, and people want (NO_COLOR). */
export function themeOf(env: Readonly<Record<string, string | undefined>>, wishes: ThemeWishes): Theme {
  const isDumb = env["TERM"] === "dumb";
  const noColour = env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "";
  return { colour: wishes.colour && !noColour && !isDumb, unicode: !wishes.ascii && !isDumb && saysUnicode(env) };
}

/** The first that is set decides, as for every program. Where none is, terminals of today know Unicode. */
function saysUnicode({ LC_ALL, LC_CTYPE, LANG }: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== "");
  return locale === undefined || /utf-?8/i.test(locale);
}

/** Select Graphic Rendition: the sixteen colours, and weight. */
const COLOURED: Readonly<Record<Tone, string>> = { plain: "", dim: "2", strong: "1", changed: "1;36", good: "32", bad: "1;31", warn: "33" };
const UNCOLOURED: Readonly<Record<Tone, string>> = { plain: "", dim: "2", strong: "1", changed: "1", good: "", bad: "1", warn: "" };

/** A line with the escape sequences that show it. */
export function painted(line: Line, { colour, unicode }: Theme, reversed = false): string {
  const codes = colour ? COLOURED : UNCOLOURED;
  const shown = unicode ? line : asciiLine(line);
  return shown
    .map(({ text, tone }) => {
      const code = [codes[tone], reversed ? "7" : ""].filter((part) => part !== "").join(";");
      return code === "" ? text : `\u001b[${code}m${text}\u001b[0m`;
    })
    .join("");
}
