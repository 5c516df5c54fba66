//! What is wrong with a text that is no JSON, in words.

use super::locate::column_of_offset;
use crate::limits::MAX_JSON_DEPTH;
use crate::value::JsonError;
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

/// Where a text stops being JSON, for whoever looks at its line.
pub(super) fn json_message(error: JsonError, text: &str) -> String {
    let column = column_of_offset(text, error.offset());
    match error {
        JsonError::Unexpected(at) => {
            let (before, behind) = text.split_at_checked(at).unwrap_or((text, ""));
            match behind.chars().next() {
                Some(found @ (']' | '}')) if before.trim_end().ends_with(',') => {
                    format!(
                        "the text is no JSON: the comma before {found:?} in column {column} is one too many"
                    )
                }
                Some(found @ ('“' | '”' | '„' | '‘' | '’' | '\'')) => {
                    format!(
                        "the text is no JSON: {found} stands in column {column}, and JSON wants straight double quotes"
                    )
                }
                Some('/') if behind.starts_with("//") || behind.starts_with("/*") => {
                    format!(
                        "the text is no JSON: a comment begins in column {column}, and JSON has none; description takes a text"
                    )
                }
                Some(found) => format!("the text is no JSON: {found:?} cannot stand in column {column}"),
                None => format!("the text is no JSON from column {column} on"),
            }
        }
        JsonError::EndsEarly(_) => "the text is no JSON: it ends before all is closed".to_owned(),
        JsonError::BadEscape(_) => format!("the escape in column {column} names no character"),
        JsonError::NumberOutOfRange(_) => format!("the number in column {column} is too large for a double"),
        JsonError::TooDeep(_) => {
            format!("from column {column} on it nests deeper than {MAX_JSON_DEPTH} levels")
        }
    }
}
