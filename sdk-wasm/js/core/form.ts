/**
 * Forms: the fields of an input or output of the byte interface as a text, one character each.
 *
 * `b` byte or flag, `n` count, `f` time or number, `u` uuid, `t` text, `y` bytes, `v` JSON value, `r` the rest; `?`
 * before one makes it optional, `*` a list, and parentheses make several one. Inputs also know `x`, 8 random bytes,
 * and digits, which stand for themselves; outputs know `a`, an action.
 */

const TOKEN = /[?*]?(\([^)]*\)|\w)/g;
const known = new Map<string, string[]>();

/** The fields of a form. */
export function fieldsOf(form: string): string[] {
  let fields = known.get(form);
  if (!fields) {
    fields = form.match(TOKEN) ?? [];
    known.set(form, fields);
  }
  return fields;
}
