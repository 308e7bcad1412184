/**
 * Characters that change how a terminal or an editor shows what stands around them, or that cannot be
 * seen: C0 and C1 controls, DEL, soft hyphen, bidirectional controls, zero-width characters, line and
 * paragraph separators, variation-free "tag" characters, lone surrogates.
 */
const INVISIBLE =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|\p{Surrogate}/gu;

const PLAIN = /^[ -~]*$/;

/**
 * Text from outside (files, records, messages of user code) as it may go to a terminal: one line, every
 * character of it visible. `\u{1b}` stands for an ESC.
 */
export function visible(text: string): string {
  // Nearly all text is plain, and there is a lot of it.
  if (PLAIN.test(text)) return text;
  return text.replace(INVISIBLE, (found) => `\\u{${(found.codePointAt(0) ?? 0).toString(16)}}`);
}

/**
 * JSON text with the same characters as JSON escapes, so that it is safe to show and still says the same.
 * Its line ends are its layout (inside strings JSON has none) and stay.
 */
export function visibleJson(json: string): string {
  return json.replace(INVISIBLE, (found) => {
    if (found === "\n") return found;
    let escaped = "";
    for (let i = 0; i < found.length; i++) {
      escaped += `\\u${found.charCodeAt(i).toString(16).padStart(4, "0")}`;
    }
    return escaped;
  });
}
