//! Selectors of actions: what is wrong with one as far as that can be seen without a browser, and `:scope`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// What stands for the elements of the rule's own slot.
const SCOPE: &str = ":scope";
const COMBINATORS: [char; 4] = [',', '>', '+', '~'];

/// A selector with `:scope` put in the terms of the document: the elements that name the slot.
pub(super) fn in_slot(selector: &str, slot: &str) -> String {
    let named = format!("[data-attune-slot=\"{}\"]", slot.replace('\\', "\\\\").replace('"', "\\\""));
    let mut written = String::new();
    let mut rest = selector;
    let mut quote = None;
    while let Some(char) = rest.chars().next() {
        let after = rest.strip_prefix(SCOPE).filter(|after| !after.starts_with(is_of_name));
        if let (None, Some(after)) = (quote, after) {
            written.push_str(&named);
            rest = after;
            continue;
        }
        let length =
            if char == '\\' { char.len_utf8() + next_length(rest.get(1..)) } else { char.len_utf8() };
        match quote {
            None if matches!(char, '"' | '\'') => quote = Some(char),
            Some(open) if open == char => quote = None,
            _ => {}
        }
        let (taken, left) = rest.split_at_checked(length).unwrap_or((rest, ""));
        written.push_str(taken);
        rest = left;
    }
    written
}

/// What keeps a text from being a list of selectors, in words; nothing where a browser may take it.
pub(super) fn fault(selector: &str) -> Option<&'static str> {
    let mut open: Vec<char> = Vec::new();
    let mut quote = None;
    // What the list so far ends with, besides white space: `,` at its beginning.
    let mut last = ',';
    let mut chars = selector.chars().peekable();
    while let Some(char) = chars.next() {
        if char == '\\' {
            if chars.next().is_none() {
                return Some("it ends with a backslash");
            }
            last = 'a';
            continue;
        }
        if let Some(open) = quote {
            quote = if char == open { None } else { quote };
            continue;
        }
        match char {
            '"' | '\'' if open.is_empty() => return Some("a quote stands outside of brackets"),
            '"' | '\'' => quote = Some(char),
            '[' => open.push(']'),
            '(' => open.push(')'),
            ']' | ')' if open.pop() != Some(char) => return Some("a bracket is closed that is not open"),
            _ if !open.is_empty() => {}
            '.' | '#' | ':' => {
                let starts = |next: &char| is_of_name(*next) && !next.is_ascii_digit();
                let is_second_colon = char == ':' && chars.peek() == Some(&':');
                if !is_second_colon && !chars.peek().is_some_and(|next| starts(next) || *next == '\\') {
                    return Some("a name is missing behind a dot, a hash or a colon");
                }
            }
            _ if COMBINATORS.contains(&char) && COMBINATORS.contains(&last) => {
                return Some("a selector is missing beside a comma or a combinator");
            }
            _ if is_of_name(char) || char.is_whitespace() || matches!(char, ']' | ')' | '*' | '|' | '&') => {}
            _ if COMBINATORS.contains(&char) => {}
            _ => return Some("it has a character that no selector has there"),
        }
        if !char.is_whitespace() {
            last = char;
        }
    }
    if quote.is_some() || !open.is_empty() {
        return Some("a quote or a bracket is not closed");
    }
    COMBINATORS.contains(&last).then_some("a selector is missing beside a comma or a combinator")
}

fn next_length(rest: Option<&str>) -> usize {
    rest.and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
}

fn is_of_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | '_') || !char.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_take_passes() {
        for selector in [
            "h1",
            "#hero h1, .sale > a:not([href^='/x']) + p",
            "a[title=\"a ] , b\"]::before",
            ".\\31 a",
            "li:nth-child(2n + 1) ~ li",
            "*|a",
            ".größe",
            " p ",
        ] {
            assert_eq!(fault(selector), None, "{selector}");
        }
    }

    #[test]
    fn what_no_browser_takes_is_refused() {
        for selector in [
            "", " ", "p[", "p]", "a[x=\"", "a,", ",a", "a >", "> a", "a > > b", "p.", "#", "a:", ".1",
            "{{x}}", "<p>", "a;b", "\"a\"", "a\\", ":is(a",
        ] {
            assert!(fault(selector).is_some(), "{selector}");
        }
    }

    #[test]
    fn scope_is_the_slot_wherever_it_is_no_text() {
        for (selector, written) in [
            (":scope", r#"[data-attune-slot="a"]"#),
            (":scope > h1, :scope p", r#"[data-attune-slot="a"] > h1, [data-attune-slot="a"] p"#),
            ("div:has(:scope)", r#"div:has([data-attune-slot="a"])"#),
            ("a[x=':scope'] :scoped é\\:scope", "a[x=':scope'] :scoped é\\:scope"),
        ] {
            assert_eq!(in_slot(selector, "a"), written);
        }
        assert_eq!(in_slot(":scope", "a\"b\\"), r#"[data-attune-slot="a\"b\\"]"#);
    }
}
