//! The compiled body: one table of texts, the signals, the rules in order of id.

use super::{Bundle, BundleError};
use crate::codec::CodecError;
use crate::condition::{Packer, Unpacker};
use crate::limits::{MAX_RULES, MAX_SIGNALS};
use crate::profile::{Signal, SignalTable, decode_signal, encode_signal};
use crate::rules::{Rule, decode_rule, encode_rule, slots_of};
use alloc::vec::Vec;

/// Version of the body's form, its first byte.
pub const BODY_VERSION: u8 = 1;

/// Writes a body; `rules` are in order of id, without repeats.
pub fn encode_body(signals: &[Signal], rules: &[Rule]) -> Vec<u8> {
    let mut packer = Packer::new();
    packer.out.len(signals.len());
    signals.iter().for_each(|signal| encode_signal(signal, &mut packer));
    packer.out.len(rules.len());
    rules.iter().for_each(|rule| encode_rule(rule, &mut packer));
    let mut body = alloc::vec![BODY_VERSION];
    body.extend(packer.finish());
    body
}

/// Reads a body into a bundle of revision 0.
///
/// # Errors
/// Fails on another version, on bytes that are no body, and on more signals or rules than their bounds.
pub fn decode_body(bytes: &[u8]) -> Result<Bundle, BundleError> {
    match bytes.split_first() {
        Some((&BODY_VERSION, packed)) => unpack(packed).map_err(|CodecError| BundleError::BadBody),
        Some((other, _)) => Err(BundleError::UnsupportedBody(*other)),
        None => Err(BundleError::BadBody),
    }
}

fn unpack(packed: &[u8]) -> Result<Bundle, CodecError> {
    let mut source = Unpacker::new(packed)?;
    let signals = source.list(decode_signal)?;
    let rules = source.list(decode_rule)?;
    let in_order = rules.windows(2).all(|pair| matches!(pair, [one, next] if one.id < next.id));
    // Each rule may bring two hidden signals of its own.
    if !source.reader.is_empty()
        || !in_order
        || rules.len() > MAX_RULES
        || signals.len() > MAX_SIGNALS + 2 * MAX_RULES
    {
        return Err(CodecError);
    }
    let slots = slots_of(&rules);
    Ok(Bundle { revision: 0, signals: SignalTable::new(signals), rules, slots })
}
