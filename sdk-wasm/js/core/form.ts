/**
 * Forms: the fields of an input or output of the byte interface as a text, one character each.
 *
 * `b` byte or flag, `n` count, `f` time or number, `u` uuid, `t` text, `y` bytes, `v` JSON value, `r` the rest; `?`
 * before one makes it optional, `*` a list, and parentheses make several one. Inputs also know `x`, 8 random bytes,
 * and digits, which stand for themselves; outputs know `a`, an action.
 */

const TOKEN = /[?*]?(\([^)]*\)|\w)/g;
const known = new Map<string, Field[]>();

/** A field's first character, and what follows it: what is optional, listed, or in parentheses. */
export type Field = [kind: string, rest: string];

/** The fields of a form. */
export function fieldsOf(form: string): Field[] {
  let fields = known.get(form);
  if (!fields) {
    fields = (form.match(TOKEN) ?? []).map((field): Field => [field.charAt(0), field.slice(1)]);
    known.set(form, fields);
  }
  return fields;
}
