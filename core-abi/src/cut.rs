//! JSON text cut into its parts without being read, so that one bad part leaves its neighbours alone.

/// Most elements of an array that is taken in: a hundred of the largest batches, and some MiB of answers.
pub(crate) const MAX_ELEMENTS: usize = 250_000;

/// The elements of an array, each as its own text; nothing where the text is no array that ends, or has more than
/// [`MAX_ELEMENTS`].
///
/// An element may be anything that brackets and quotes hold together: whether it is JSON is for its reader to say.
pub(crate) fn elements(text: &str) -> Option<Vec<&str>> {
    let mut cutter = Cutter { text, at: 0 };
    cutter.take(b'[')?;
    let mut elements = Vec::new();
    if cutter.take(b']').is_some() {
        return cutter.end().then_some(elements);
    }
    loop {
        if elements.len() == MAX_ELEMENTS {
            return None;
        }
        elements.push(cutter.part()?);
        if cutter.take(b']').is_some() {
            return cutter.end().then_some(elements);
        }
        cutter.take(b',')?;
    }
}

/// The fields of an object as name and text, names as they are written; nothing where the text is no such object.
pub(crate) fn fields(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut cutter = Cutter { text, at: 0 };
    cutter.take(b'{')?;
    let mut fields = Vec::with_capacity(10);
    if cutter.take(b'}').is_some() {
        return cutter.end().then_some(fields);
    }
    loop {
        let name = cutter.part()?.strip_prefix('"')?.strip_suffix('"')?;
        cutter.take(b':')?;
        fields.push((name, cutter.part()?));
        if cutter.take(b'}').is_some() {
            return cutter.end().then_some(fields);
        }
        cutter.take(b',')?;
    }
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cutter<'a> {
    /// The text up to the next comma, colon or closing bracket that belongs to the outside.
    fn part(&mut self) -> Option<&'a str> {
        self.space();
        let from = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => self.string()?,
                b'[' | b'{' => {
                    depth += 1;
                    self.at += 1;
                }
                b']' | b'}' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b']' | b'}' => break,
                b',' | b':' if depth == 0 => break,
                _ => self.at += 1,
            }
        }
        self.text.get(from..self.at).map(str::trim_end)
    }

    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.space();
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
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
    use proptest::prelude::*;

    #[test]
    fn parts_keep_their_brackets_and_quotes() {
        let text = r#" [ {"a":[1,2]} , "x,]\"" ,{"bad": 1e400}, oops ] "#;
        assert_eq!(elements(text).unwrap(), [r#"{"a":[1,2]}"#, r#""x,]\"""#, r#"{"bad": 1e400}"#, "oops"]);
        assert_eq!(
            fields(r#"{"a" : {"b":1}, "c":"d:e"}"#).unwrap(),
            [("a", r#"{"b":1}"#), ("c", r#""d:e""#)]
        );
        assert_eq!((elements("[]"), fields("{ }")), (Some(vec![]), Some(vec![])));
    }

    #[test]
    fn an_array_of_more_elements_than_are_taken_in_is_nothing() {
        let array = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
        assert_eq!(elements(&array(MAX_ELEMENTS)).map(|parts| parts.len()), Some(MAX_ELEMENTS));
        assert_eq!(elements(&array(MAX_ELEMENTS + 1)), None);
    }

    #[test]
    fn text_that_does_not_end_is_nothing() {
        for text in ["", "{}", "[", "[1", "[1,", r#"["x]"#, "[1]]", r#"["\"#, "[{]"] {
            assert_eq!(elements(text), None, "{text}");
        }
        for text in ["", "[]", "{", r#"{"a"}"#, r#"{"a":1"#, "{a:1}", r#"{"a":1}x"#] {
            assert_eq!(fields(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_cut_or_refused(text in r#"[\[\]{}",:\\a1 ü]{0,40}"#) {
            let _ = (elements(&text), fields(&text));
        }
    }
}
