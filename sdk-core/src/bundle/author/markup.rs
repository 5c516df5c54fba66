//! What a page does not do with the markup of an action: what it refuses, and what the sanitiser of browsers takes out.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// The elements that the sanitiser leaves in by itself, each with the attributes that it leaves beside [`ATTRIBUTES`]: the
/// built-in safe default configuration of <https://wicg.github.io/sanitizer-api/>, as Chromium 156 has it.
const ELEMENTS: &str = "a:href,hreflang,type abbr address article aside b bdi bdo blockquote:cite body br caption cite \
    code col:span colgroup:span data:value dd del:cite,datetime dfn div dl dt em figcaption figure footer h1 h2 h3 h4 \
    h5 h6 head header hgroup hr html i ins:cite,datetime kbd li:value main mark menu nav ol:reversed,start,type p pre q \
    rp rt ruby s samp search section small span strong sub sup table tbody td:colspan,headers,rowspan tfoot \
    th:abbr,colspan,headers,rowspan,scope thead time:datetime title tr u ul var wbr";
/// The attributes that it leaves on every element.
const ATTRIBUTES: &str = "alignment-baseline baseline-shift clip-path clip-rule color color-interpolation cursor dir \
    direction display displaystyle dominant-baseline fill fill-opacity fill-rule font-family font-size \
    font-size-adjust font-stretch font-style font-variant font-weight lang letter-spacing marker-end marker-mid \
    marker-start mathbackground mathcolor mathsize opacity paint-order pointer-events scriptlevel shape-rendering \
    stop-color stop-opacity stroke stroke-dasharray stroke-dashoffset stroke-linecap stroke-linejoin \
    stroke-miterlimit stroke-opacity stroke-width text-anchor text-decoration text-overflow text-rendering title \
    transform transform-origin unicode-bidi vector-effect visibility white-space word-spacing writing-mode";
/// Elements whose content has names of its own, which are not looked at.
const FOREIGN: [&str; 2] = ["svg", "math"];

/// Whether a page refuses the markup, see `actions/markup.ts`: even to parse it is a violation of a policy.
pub(super) fn is_refused(markup: &str) -> bool {
    runs_or_styles(markup) || names_styles(markup)
}

/// Whether a link in the markup runs code.
pub(super) fn has_code_in_address(markup: &str) -> bool {
    // Browsers pass over controls and spaces in front of an address, and over tabs and ends of lines within.
    let runs = |value: &str| {
        let address: String = value.chars().filter(|sign| !matches!(sign, '\t' | '\n' | '\r')).collect();
        let address = address.trim_start_matches(|sign: char| sign <= ' ').to_ascii_lowercase();
        address.starts_with("javascript:")
    };
    tags_of(markup).iter().any(|tag| tag.attributes.iter().any(|(_, value)| runs(value)))
}

/// What the sanitiser takes out, in words: elements, and attributes of those that it leaves; empty where it takes nothing.
pub(super) fn taken_out(markup: &str) -> String {
    let mut gone = BTreeSet::new();
    for Tag { name, attributes } in tags_of(markup) {
        let known = ELEMENTS.split(' ').map(|entry| entry.split_once(':').unwrap_or((entry, "")));
        let Some((_, own)) = known.into_iter().find(|(known, _)| *known == name) else {
            if !FOREIGN.contains(&&*name) {
                gone.insert(format!("<{name}>"));
            }
            continue;
        };
        for (attribute, _) in attributes.iter().filter(|(attribute, _)| !attribute.contains('{')) {
            if !own.split(',').chain(ATTRIBUTES.split(' ')).any(|known| known == attribute) {
                gone.insert(format!("{attribute} of <{name}>"));
            }
        }
    }
    gone.into_iter().collect::<Vec<_>>().join(", ")
}

/// The beginning of an element, its names in small letters.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

/// The tags that elements begin with, but for those within foreign ones.
fn tags_of(markup: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut foreign: Option<String> = None;
    let mut rest = markup;
    while let Some((_, behind)) = rest.split_once('<') {
        rest = behind;
        if let Some(comment) = behind.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let is_end = behind.starts_with('/');
        let named = behind.strip_prefix('/').unwrap_or(behind);
        if !named.starts_with(|sign: char| sign.is_ascii_alphabetic()) {
            continue;
        }
        let (name, behind) = cut(named, |sign| sign.is_ascii_whitespace() || matches!(sign, '/' | '>'));
        let (attributes, behind) = attributes_of(behind);
        rest = behind;
        let name = name.to_ascii_lowercase();
        match &foreign {
            Some(outer) if is_end && *outer == name => foreign = None,
            Some(_) => {}
            None if is_end => {}
            None => {
                foreign = FOREIGN.contains(&&*name).then(|| name.clone());
                tags.push(Tag { name, attributes });
            }
        }
    }
    tags
}

/// The attributes of a tag from behind its name, and what stands behind it.
fn attributes_of(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|sign: char| sign.is_ascii_whitespace() || sign == '/');
        if rest.is_empty() {
            return (attributes, rest);
        }
        if let Some(behind) = rest.strip_prefix('>') {
            return (attributes, behind);
        }
        let ends = |sign: char| sign.is_ascii_whitespace() || matches!(sign, '/' | '>' | '=');
        // A sign of equality that nothing stands before begins a name.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let (begin, tail) = rest.split_at(first);
        let (more, behind) = cut(tail, ends);
        let name = format!("{begin}{more}").to_ascii_lowercase();
        let Some(value) = behind.trim_ascii_start().strip_prefix('=') else {
            attributes.push((name, String::new()));
            rest = behind;
            continue;
        };
        let value = value.trim_ascii_start();
        let quote = value.chars().next().filter(|sign| matches!(sign, '"' | '\''));
        let (value, behind) = match quote {
            Some(quote) => value.get(1..).unwrap_or_default().split_once(quote).unwrap_or((value, "")),
            None => cut(value, |sign| sign.is_ascii_whitespace() || sign == '>'),
        };
        attributes.push((name, value.into()));
        rest = behind;
    }
}

fn cut(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

/// Whether a tag has an attribute that a page refuses markup for.
fn runs_or_styles(markup: &str) -> bool {
    let is_refused = |word: &str| word == "style" || word.len() > 2 && word.starts_with("on");
    let (mut is_tag, mut word, mut last) = (false, String::new(), '<');
    let mut chars = markup.chars();
    while let Some(char) = chars.next() {
        if !is_tag {
            is_tag = char == '<';
            continue;
        }
        if matches!(char, '"' | '\'') && last == '=' {
            // What is quoted is a value.
            chars.by_ref().find(|next| *next == char);
        }
        if char.is_whitespace() || matches!(char, '>' | '/' | '=' | '"' | '\'') {
            if is_refused(&word) {
                return true;
            }
            word.clear();
            is_tag = char != '>';
        } else {
            word.push(char.to_ascii_lowercase());
        }
        last = if char.is_whitespace() { last } else { char };
    }
    is_refused(&word)
}

/// Whether a page may read a style into the markup, wherever the word stands.
fn names_styles(markup: &str) -> bool {
    let markup = markup.to_ascii_lowercase();
    let mut words = markup.match_indices("style").map(|(at, word)| {
        let before = markup.get(..at).and_then(|before| before.chars().next_back());
        let after = markup.get(at + word.len()..).unwrap_or_default().trim_start();
        (before, after.starts_with('='))
    });
    words.any(|(before, is_set)| match before {
        Some('<') => true,
        Some(sign) => is_set && (sign.is_whitespace() || matches!(sign, '"' | '\'' | '/')),
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_sanitiser_takes_out_is_named_and_what_it_leaves_is_not() {
        for (markup, expected) in [
            ("<b class=x>a</b>", "class of <b>"),
            ("<p id='a' title=\"a > b\">a<img src=x>", "<img>, id of <p>"),
            ("<script>1</script><B DATA-X>", "<script>, data-x of <b>"),
            ("<a href='/x' target=_blank rel=\"\">a</a>", "rel of <a>, target of <a>"),
            ("<!-- <img> --><a href=/x>1 < 2 <3</a>", ""),
            ("<svg class=x><path d=''/><image/></svg><img>", "<img>"),
            ("<b title=\"{{traits.name}}\" lang=de dir=ltr>{{traits.name|<img>}}", "<img>"),
            ("<td colspan=2><th scope=row><time datetime=x>", ""),
            ("<x-card", "<x-card>"),
            ("<b =x>", "=x of <b>"),
            ("<b title='", ""),
        ] {
            assert_eq!(taken_out(markup), expected, "{markup}");
        }
    }

    #[test]
    fn an_address_that_runs_code_is_found_however_it_is_written() {
        for (markup, expected) in [
            ("<a href='javascript:x'>", true),
            ("<a href=JavaScript:x>", true),
            ("<a href=\" java\nscript:x\">", true),
            ("<a href='/javascript:x' title=\"not javascript: at all\">javascript:x</a>", false),
        ] {
            assert_eq!(has_code_in_address(markup), expected, "{markup}");
        }
    }
}
