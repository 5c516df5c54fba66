//! Where a body has its records: as JSON, or in a form as JSON or base64 of it.

use crate::compat::PostedError;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// Some leave the padding away.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The records of a body, and the form in which its sender wants the answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// The records as JSON.
    pub json: Cow<'a, str>,
    /// Whether the answer is to be JSON.
    pub verbose: bool,
}

impl<'a> Payload<'a> {
    /// Finds them.
    ///
    /// # Errors
    /// There are none, or they are neither JSON nor base64.
    pub fn find(body: &'a str) -> Result<Self, PostedError> {
        if is_json(body) {
            return Ok(Self { json: Cow::Borrowed(body), verbose: false });
        }
        let mut found = Self { json: Cow::Borrowed(""), verbose: false };
        for (name, value) in form_urlencoded::parse(body.as_bytes()) {
            match &*name {
                "data" => found.json = value,
                "verbose" => found.verbose = value == "1",
                _ => {}
            }
        }
        if found.json.is_empty() {
            let expected = "it has to be JSON, or a form with data, which is JSON or base64 of it";
            return Err(PostedError::Unreadable(expected.into()));
        }
        if !is_json(&found.json) {
            // A plus sign that was not escaped reads as a space.
            let bytes = LENIENT.decode(found.json.trim().replace(' ', "+"));
            let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let unreadable = || PostedError::Unreadable("data is neither JSON nor base64 of text".into());
            found.json = Cow::Owned(text.ok_or_else(unreadable)?);
        }
        Ok(found)
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_in_every_form() {
        for (body, verbose) in [
            (r#"[{"a":"ü+?"}]"#, false),
            ("data=%5B%7B%22a%22%3A%22%C3%BC%2B%3F%22%7D%5D&verbose=1&ip=0", true),
            ("data=W3siYSI6IsO8Kz8ifV0%3D", false),
            ("ip=1&data=W3siYSI6IsO8Kz8ifV0", false),
        ] {
            let found = Payload::find(body).unwrap();
            assert_eq!((&*found.json, found.verbose), (r#"[{"a":"ü+?"}]"#, verbose), "{body}");
        }
        assert_eq!(Payload::find("data=W3siYSI6Ij4-In1d").unwrap_err().code(), "batch_unreadable");
        assert_eq!(&*Payload::find("data=eyJhIjoiPj4+In0=").unwrap().json, r#"{"a":">>>"}"#);
        for body in ["", "verbose=1", "data=", "data=%FF"] {
            assert_eq!(Payload::find(body).unwrap_err().code(), "batch_unreadable", "{body}");
        }
    }
}
