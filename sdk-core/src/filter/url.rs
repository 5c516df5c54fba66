//! Takes parameters out of the text of an address, in its query and in the query form of its fragment.

use super::pattern::covers;
use super::redact::escaped;
use crate::value::cut;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

/// Names of parameters that carry secrets or say who somebody is, as names are compared: small, without `_` and `-`.
pub const SENSITIVE_PARAMS: &str = "accesstoken accountnumber apikey auth authcode authorization authtoken birthdate \
     birthday cardnumber clientsecret code credential credentials creditcard csrf csrftoken cvc cvv dateofbirth dob email \
     emailaddress firstname fullname iban idtoken jsessionid jwt key lastname mail mobile otp pass passcode passwd password \
     phone phonenumber phpsessid pin pwd refreshtoken resettoken samlresponse secret session sessionid sessiontoken sid sig \
     signature ssn surname tel telephone ticket token username xsrftoken";

/// Which parameters an address keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UrlMode {
    /// All of them.
    #[default]
    Keep,
    /// All but those of [`SENSITIVE_PARAMS`] and the listed ones.
    RemoveSensitive,
    /// All but the listed ones.
    RemoveListed,
    /// The listed ones.
    KeepListed,
}

/// Parameters by their names: capital letters, `_` and `-` do not count, escapes are read, and a `*` at the end of a listed
/// name stands for anything. Of a name with brackets or dots, such as `user[email]`, each part is looked for where
/// parameters are removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlParams {
    /// What the list means.
    pub mode: UrlMode,
    /// The list.
    pub names: Vec<Box<str>>,
}

impl UrlMode {
    /// All of them, in order of their tags.
    pub const ALL: [Self; 4] = [Self::Keep, Self::RemoveSensitive, Self::RemoveListed, Self::KeepListed];
}

/// Removes the parameters of an address, whole or relative, that are not to be kept; nothing where all are.
///
/// What stays is as it was. A fragment has parameters behind its `?`, and in front of that where there is a `=` and no `/`
/// at its beginning: `#access_token=x`, `#/path?token=x`. A `?` or `#` behind which nothing is left goes as well.
pub fn scrub_url(url: &str, params: &UrlParams) -> Option<String> {
    if params.mode == UrlMode::Keep {
        return None;
    }
    let mut out = String::new();
    let (address, fragment) = cut(url, b'#');
    let (path, query) = cut(address, b'?');
    out.push_str(path);
    scrub_query("?", query, params, &mut out);
    if let Some(fragment) = fragment {
        let (front, query) = cut(fragment, b'?');
        let mut kept = String::new();
        if front.starts_with('/') || cut(front, b'=').1.is_none() {
            kept.push_str(front);
        } else {
            scrub_query("", Some(front), params, &mut kept);
        }
        scrub_query("?", query, params, &mut kept);
        if fragment.is_empty() || !kept.is_empty() {
            out.push('#');
            out.push_str(&kept);
        }
    }
    (out.len() != url.len()).then_some(out)
}

/// Appends the parameters that stay, the lead in front of the first.
fn scrub_query(lead: &str, query: Option<&str>, params: &UrlParams, out: &mut String) {
    let (mut rest, mut sign) = (query, lead);
    while let Some(here) = rest {
        let param;
        (param, rest) = cut(here, b'&');
        if param.is_empty() || params.keep(&plain(cut(param, b'=').0)) {
            out.push_str(sign);
            out.push_str(param);
            sign = "&";
        }
    }
}

impl UrlParams {
    fn keep(&self, name: &[u8]) -> bool {
        let is_listed = |part: &[u8]| self.names.iter().any(|listed| covers(&plain(listed), part));
        if self.mode == UrlMode::KeepListed {
            return is_listed(name);
        }
        let sensitive = if self.mode == UrlMode::RemoveSensitive { SENSITIVE_PARAMS } else { "" };
        !name.split(|sign| matches!(sign, b'[' | b']' | b'.')).any(|part| {
            let mut rest = Some(sensitive);
            while let Some(here) = rest {
                let known;
                (known, rest) = cut(here, b' ');
                if !part.is_empty() && known.as_bytes() == part {
                    return true;
                }
            }
            is_listed(part)
        })
    }
}

/// A name as it is compared.
fn plain(name: &str) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    let bytes = name.as_bytes();
    while let Some(byte) = bytes.get(at) {
        let decoded = escaped(bytes, at);
        let (sign, length) = if decoded > 0 { (decoded, 3) } else { (*byte, 1) };
        if !matches!(sign, b'_' | b'-') {
            out.push(sign.to_ascii_lowercase());
        }
        at += length;
    }
    out
}
