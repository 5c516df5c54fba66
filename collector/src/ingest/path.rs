//! Where in an event something stands: the path that a sender finds it by.

use crate::limits::MAX_PATH_CHARS;

/// What encloses a place: a field of an object, or an element of a list.
enum Step<'a> {
    Field(Option<&'a str>),
    Element(usize),
}

/// The path to the value that holds the byte at `offset` of a JSON text, such as `metadata.items[2].price`; empty for the
/// outermost. For a place within a name it is that of the object.
pub fn path_at(json: &str, offset: usize) -> String {
    let bytes = json.as_bytes();
    let mut steps = Vec::new();
    let mut at = 0;
    while at < offset {
        match bytes.get(at) {
            Some(b'{') => steps.push(Step::Field(None)),
            Some(b'[') => steps.push(Step::Element(0)),
            Some(b'}' | b']') => {
                steps.pop();
            }
            Some(b',') => match steps.last_mut() {
                Some(Step::Element(index)) => *index += 1,
                Some(Step::Field(name)) => *name = None,
                None => {}
            },
            Some(b'"') => {
                let end = end_of_string(bytes, at);
                // Only a string whose end is before the place can be the name of what is there.
                if let Some(Step::Field(name @ None)) = steps.last_mut()
                    && end <= offset
                {
                    *name = json.get(at..end);
                }
                at = end;
                continue;
            }
            Some(_) => {}
            None => break,
        }
        at += 1;
    }
    let mut path = String::new();
    for step in &steps {
        match step {
            Step::Field(None) => {}
            Step::Field(Some(name)) => push_field(name, &mut path),
            Step::Element(index) => path.push_str(&format!("[{index}]")),
        }
    }
    if path.chars().count() > MAX_PATH_CHARS {
        path = path.chars().take(MAX_PATH_CHARS).chain(['…']).collect();
    }
    path
}

/// The place behind the closing quote of the string that begins at a place.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    at += 1;
    loop {
        match bytes.get(at) {
            None => return bytes.len(),
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            Some(_) => at += 1,
        }
    }
}

/// Names as JavaScript writes them: behind a dot where they are plain, in brackets as they were sent where not.
fn push_field(quoted: &str, path: &mut String) {
    let name = quoted.trim_matches('"');
    let is_plain = !name.is_empty()
        && !name.starts_with(|sign: char| sign.is_ascii_digit())
        && name.chars().all(|sign| sign.is_alphanumeric() || sign == '_' || sign == '$');
    if is_plain {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    } else {
        path.push('[');
        path.push_str(quoted);
        path.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_the_path_of_the_value_that_holds_it() {
        for (json, expected) in [
            (r#"{"metadata":{"items":[1,{"a":2},{"price":@}]}}"#, "metadata.items[2].price"),
            (r#"{"a":{"b":[1,2]},"c":"x, [ {","d":@}"#, "d"),
            (r#"{"a":"@"}"#, "a"),
            (r#"{"a":{"b":"c@"}}"#, "a.b"),
            (r#"{"a":[[],[{}],[0,"\"]",@]]}"#, "a[2][2]"),
            (r#"{"a b":{"":{"7":{"ü_$":@}}}}"#, r#"["a b"][""]["7"].ü_$"#),
            (r#"{"a":{"\"]":@}}"#, r#"a["\"]"]"#),
            // Within a name, and behind one.
            (r#"{"a":{"b":1,"c@":2}}"#, "a"),
            (r#"{"a" : @}"#, "a"),
            (r#"[@]"#, "[0]"),
            ("@", ""),
        ] {
            let offset = json.find('@').unwrap();
            assert_eq!(path_at(json, offset), expected, "{json}");
        }
    }

    #[test]
    fn a_path_is_told_up_to_a_length_and_any_text_has_one() {
        let long = format!(r#"{{"{}":@}}"#, "x".repeat(1_000));
        assert_eq!(path_at(&long, 1_005).chars().count(), MAX_PATH_CHARS + 1);
        for (json, offset) in [("{\"a", 9), ("]]}", 3), ("\"\\", 5), ("{\"a\\", 4), ("", 0), (",:,", 2)] {
            path_at(json, offset);
        }
    }
}
