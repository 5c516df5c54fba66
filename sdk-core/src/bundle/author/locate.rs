//! From a JSON pointer to the line on which it stands; only for texts that parse.

use crate::limits::MAX_ID_CHARS;
use crate::value::Value;
use alloc::string::String;

/// The line of a byte offset, from 1.
pub(super) fn line_of_offset(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

/// The column of a byte in its line, in characters from 1.
pub(super) fn column_of_offset(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    1 + before.chars().rev().take_while(|sign| *sign != '\n').count()
}

/// The line of the value a JSON pointer names; where it names nothing, the line of its nearest parent.
pub(super) fn line_of(text: &str, pointer: &str) -> usize {
    let mut walk = Walk { text, at: 0 };
    walk.space();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let here = walk.at;
        if !walk.enter(&step) {
            walk.at = here;
            break;
        }
    }
    line_of_offset(text, walk.at)
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
}

/// Kind and name of the definition that a JSON pointer leads into, such as `rule hero`.
pub(super) fn definition_of(text: &str, pointer: &str) -> Option<(&'static str, String)> {
    let mut steps = pointer.split('/').skip(1);
    let (list, index) = (steps.next()?, steps.next()?);
    let (kind, own) = match list {
        "signals" => ("signal", "name"),
        "segments" => ("segment", "id"),
        "groups" => ("group", "id"),
        "experiments" => ("experiment", "id"),
        "models" => ("model", "name"),
        "rules" => ("rule", "id"),
        "triggers" => ("trigger", "id"),
        _ => return None,
    };
    let mut walk = Walk { text, at: 0 };
    walk.space();
    if ![list, index, own].iter().all(|step| walk.enter(step)) {
        return None;
    }
    let start = walk.at;
    walk.skip();
    let name = Value::parse(text.get(start..walk.at)?).ok()?;
    let is_plain = |name: &&str| name.chars().count() <= MAX_ID_CHARS && !name.chars().any(char::is_control);
    Some((kind, name.as_str().filter(is_plain)?.into()))
}

impl Walk<'_> {
    /// Moves to the key or element that the step names inside the object or array here.
    fn enter(&mut self, step: &str) -> bool {
        let Some(open @ (b'{' | b'[')) = self.peek() else { return false };
        let mut found = None;
        let mut index = 0_usize;
        self.at += 1;
        loop {
            self.space();
            match self.peek() {
                None | Some(b'}' | b']') => break,
                Some(b',') => {
                    self.at += 1;
                    index += 1;
                    continue;
                }
                Some(_) => {}
            }
            let start = self.at;
            let matches = if open == b'{' {
                self.skip();
                let name = self.text.get(start..self.at).and_then(|quoted| Value::parse(quoted).ok());
                self.space();
                self.at += 1;
                self.space();
                name == Some(Value::String(String::from(step).into_boxed_str()))
            } else {
                step.parse() == Ok(index)
            };
            if matches {
                // Of equal names the last counts, so the walk goes on.
                found = Some(self.at);
            }
            self.skip();
        }
        if let Some(at) = found {
            self.at = at;
        }
        found.is_some()
    }

    /// Moves past one value.
    fn skip(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' | b'}' | b']' if depth == 0 => return,
                _ => self.at += 1,
            }
            if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_the_name_of_its_definition() {
        let text = r#"{"rules": [{"slot": "s", "id": "a"}, {"id": 1}], "models": [{"name": "m"}], "x": [1]}"#;
        let name = |pointer: &str| definition_of(text, pointer).map(|(kind, name)| [kind, &name].join(" "));
        assert_eq!(name("/rules/0/when/$or").as_deref(), Some("rule a"));
        assert_eq!(name("/models/0").as_deref(), Some("model m"));
        for pointer in ["", "/rules", "/rules/1/id", "/rules/2", "/models/x", "/x/0", "/groups/0"] {
            assert_eq!(name(pointer), None, "{pointer}");
        }
    }

    #[test]
    fn a_pointer_leads_to_its_line() {
        let text = "{\n \"a\": [1, {\"x~/y\": \"}\"},\n  {\"b\":\n   2}],\n \"c\": \"\\\"[\",\n \"d\": null}";
        for (pointer, line) in
            [("", 1), ("/a", 2), ("/a/1/x~0~1y", 2), ("/a/2", 3), ("/a/2/b", 4), ("/d", 6), ("/a/2/none", 3)]
        {
            assert_eq!(line_of(text, pointer), line, "{pointer}");
        }
    }
}
