//! Properties of the filter: it never panics, has nothing left to do afterwards, and lets nothing planted through.

use super::*;
use crate::codec::Writer;
use crate::id::MemberId;
use crate::time::{Monotonic, Now};
use crate::value::{Packed, Value, ValueRef};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Pieces of what is looked for and of what is not, whole and broken.
const PIECES: [&str; 48] = [
    " ",
    "-",
    ".",
    "/",
    "(",
    ")",
    "+",
    "@",
    "%40",
    "%2540",
    "%20",
    "%2B",
    "%",
    ":",
    "::",
    "_",
    "#",
    ",",
    "=",
    "?",
    "&",
    "0",
    "1",
    "00",
    "49",
    "151",
    "0151",
    "1234567",
    "555",
    "4111",
    "1111",
    "41111111",
    "4111111111111111",
    "DE89",
    "3704 0044",
    "0532013000",
    "GB29NWBK",
    "2001:",
    "db8",
    "ff",
    "203.0.113.7",
    "256",
    "ann",
    "example.com",
    "ü",
    "\u{a0}",
    "４",
    "01890a5d-ac96-774b-bcce-b302099a8057",
];

/// How people group the digits of a card.
const GROUPS: [&[usize]; 4] = [&[], &[4, 4, 4, 4, 4], &[4, 6, 9], &[6, 13]];

fn noise(most: usize) -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(select(&PIECES[..]), 0..most).prop_map(|pieces| pieces.concat()),
        any::<String>(),
    ]
}

/// Noise that ends, or begins, where a number can.
fn apart() -> impl Strategy<Value = (String, String)> {
    let (front, back) = (select(&["", " ", ": ", "=", "\"", "%20", "ü", "(", "\n"][..]), 0..9_usize);
    let ends = ["", " ", ", ", "&x=", "\"", "%20", "ü", ")", "\n"];
    (noise(8), front, back, noise(8)).prop_map(move |(before, front, back, behind)| {
        let (front, before) = if front.is_empty() { ("", String::new()) } else { (front, before) };
        let back = ends[back];
        (before + front, if back.is_empty() { String::new() } else { back.to_string() + &behind })
    })
}

fn with_check_digit(body: &str) -> String {
    let sum: u32 = body
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place % 2 == 1 { digit } else { 2 * digit / 10 + 2 * digit % 10 }
        })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// A card number that a network may have issued, in one of the forms people write.
fn card() -> impl Strategy<Value = String> {
    let issued = select(
        &[
            ("4", 16),
            ("4", 19),
            ("51", 16),
            ("2221", 16),
            ("2720", 16),
            ("34", 15),
            ("37", 15),
            ("36", 14),
            ("38", 14),
            ("3528", 16),
            ("6011", 16),
            ("62", 17),
            ("6759", 18),
            ("50", 19),
        ][..],
    );
    let groups = select(&GROUPS[..]);
    (issued, "[0-9]{19}", groups, select(&[" ", "-", "+", "%20"][..])).prop_map(
        |((head, length), digits, groups, gap)| {
            let number = with_check_digit(&format!("{head}{}", &digits[..length - head.len() - 1]));
            let (mut rest, mut parts) = (&number[..], Vec::new());
            for size in groups {
                // A last group of one or two digits joins the one before it.
                let size = if rest.len() < size + 3 { rest.len() } else { *size };
                let (part, behind) = rest.split_at(size);
                parts.extend((!part.is_empty()).then_some(part));
                rest = behind;
            }
            parts.extend((!rest.is_empty()).then_some(rest));
            parts.join(gap)
        },
    )
}

fn iban() -> impl Strategy<Value = String> {
    let bban = prop_oneof!["[0-9]{11,30}", "[A-Z]{4}[0-9]{8,20}", "[A-Z0-9]{11,30}"];
    ("[A-Z]{2}", bban, any::<bool>()).prop_map(|(country, bban, is_grouped)| {
        let turned = format!("{bban}{country}00");
        let rest = turned.chars().fold(0, |rest, sign| {
            let value = sign.to_digit(36).unwrap();
            if value > 9 { (rest * 100 + value) % 97 } else { (rest * 10 + value) % 97 }
        });
        let number = format!("{country}{:02}{bban}", 98 - rest);
        if !is_grouped {
            return number;
        }
        let groups: Vec<&str> =
            number.as_bytes().chunks(4).map(|group| core::str::from_utf8(group).unwrap()).collect();
        groups.join(" ")
    })
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::Number),
        Just(Value::Number(4_111_111_111_111_111.0)),
        noise(6).prop_map(|text| Value::string(&text)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let names =
            prop_oneof![noise(3), select(&["a@b.cc", "[email]", "c@b.cc", "x"][..]).prop_map(String::from)];
        let fields = proptest::collection::vec((names, inner.clone()), 0..4);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::Array),
            fields.prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.into_boxed_str(), value)).collect()
            )),
        ]
    })
}

fn redacted(text: &str) -> String {
    redact_text(text, Kinds::ALL, &mut Counts::default()).unwrap_or_else(|| text.to_string())
}

proptest! {
    #[test]
    fn nothing_is_left_to_redact_and_every_hit_is_counted(text in noise(24), bits in 0_u8..32) {
        let (kinds, mut counts) = (Kinds::from_bits(bits).unwrap(), Counts::default());
        let once = redact_text(&text, kinds, &mut counts);
        prop_assert_eq!(once.is_some(), counts.total() > 0);
        for kind in Kind::ALL.into_iter().filter(|kind| !kinds.has(*kind)) {
            prop_assert_eq!(counts.of(kind), 0);
        }
        let once = once.unwrap_or(text);
        prop_assert_eq!(redact_text(&once, kinds, &mut Counts::default()), None);
    }

    #[test]
    fn a_planted_address_never_survives(
        before in noise(8), name in "[a-zA-Z0-9._+-]{3,12}", sign in select(&["@", "%40", "%2540"][..]),
        domain in "([a-z0-9][a-z0-9-]{0,6}\\.){1,3}(com|de|museum|co\\.uk|xn--p1ai)", behind in noise(8),
    ) {
        let planted = [&name, sign, &domain].concat();
        let text = [&*before, &planted, &behind].concat();
        prop_assert!(!redacted(&text).contains(&planted), "{}", text);
    }

    #[test]
    fn a_planted_card_never_survives(planted in card(), (before, behind) in apart()) {
        let text = [&*before, &planted, &behind].concat();
        prop_assert!(!redacted(&text).contains(&planted), "{} -> {}", text, redacted(&text));
        prop_assert_eq!(redacted(&planted), "[card]");
    }

    #[test]
    fn a_planted_account_never_survives(planted in iban(), (before, behind) in apart()) {
        let text = [&*before, &planted, &behind].concat();
        prop_assert!(!redacted(&text).contains(&planted), "{} -> {}", text, redacted(&text));
        prop_assert_eq!(redacted(&planted), "[iban]");
    }

    #[test]
    fn numbers_of_every_day_are_left_alone(at in 1_000_000_000_000_i64..2_000_000_000_000, id: u128, cents: u32) {
        let uuid = crate::id::Uuid::from_u128(id).to_string();
        let hash = format!("{:016x}{id:032x}", id as u64);
        let instant = crate::time::Timestamp(at).to_string();
        let price = format!("{}.{:02}", cents / 100, cents % 100);
        for text in [uuid, hash, instant, price, at.to_string(), (at / 1_000).to_string()] {
            prop_assert_eq!(redacted(&text), text);
        }
    }

    #[test]
    fn values_stay_values_and_have_nothing_left(value in tree(), mode in select(&UrlMode::ALL[..])) {
        let params = UrlParams { mode, names: Vec::from([Box::from("x*")]) };
        let mut counts = Counts::default();
        let once = strip(value.to_packed().get(), Kinds::ALL, &params, &mut counts);
        prop_assert_eq!(Packed::checked(once.bytes()), Ok(once.clone()));
        prop_assert_eq!(&strip(once.get(), Kinds::ALL, &params, &mut Counts::default()), &once);
        let as_is = strip(value.to_packed().get(), Kinds::NONE, &UrlParams::default(), &mut counts);
        prop_assert_eq!(as_is, value.to_packed());
    }

    #[test]
    fn an_address_keeps_nothing_that_it_may_not_keep(
        url in "[a-c=&?#/.%\\[\\]]{0,24}(token|TO-KEN|%74oken|utm_a)?[=&#]{0,2}[a-c=&?#/]{0,8}", text: String,
    ) {
        for mode in UrlMode::ALL {
            let params = UrlParams { mode, names: Vec::from([Box::from("a"), Box::from("utm_*")]) };
            for url in [&url, &text] {
                let once = scrub_url(url, &params).unwrap_or_else(|| url.clone());
                prop_assert_eq!(scrub_url(&once, &params), None, "{} {:?}", url, mode);
                let query = once.split('#').next().and_then(|address| Some(address.split_once('?')?.1));
                let is_gone = |name: &str| query.is_none_or(|query| query.split('&').all(|param| {
                    param.split('=').next() != Some(name)
                }));
                prop_assert!(mode != UrlMode::RemoveSensitive || is_gone("token"));
                prop_assert!(mode != UrlMode::RemoveListed || is_gone("a") && is_gone("utm_a"));
                prop_assert!(mode != UrlMode::KeepListed || is_gone("token") && is_gone("b"));
            }
        }
    }

    #[test]
    fn bytes_are_a_policy_or_refused(random: Vec<u8>, at: prop::sample::Index, byte: u8, rate in 1_u32..=1_000_000) {
        let mut policy = Policy { per_minute: Some(rate), redact: Kinds::ALL, ..Policy::default() };
        policy.url_params.names = Vec::from([Box::from("ü")]);
        let mut of_type = TypePolicy::new("click");
        (of_type.share, of_type.redact, of_type.others) = (5_000, Some(Kinds::NONE), Others::Remove);
        let (of, presence) = (PropertyType::List, Presence::Required);
        of_type.properties.push(Property { name: Box::from("p"), of, presence, max_bytes: Some(7) });
        policy.types.push(of_type);
        let mut out = Writer::new();
        policy.encode(&mut out);
        let mut bytes = out.into_bytes();
        prop_assert_eq!(Policy::decode(&bytes), Ok(policy));
        for cut in 0..bytes.len() {
            prop_assert!(Policy::decode(&bytes[..cut]).is_err());
        }
        let place = at.index(bytes.len());
        bytes[place] = byte;
        for bytes in [bytes, random] {
            let Ok(policy) = Policy::decode(&bytes) else { continue };
            let member = MemberId(Box::from("m"));
            let asking = Asking {
                event_type: "click", member: &member, metadata: ValueRef::Null, sender: Sender::Bot, now: Now::default(),
            };
            let _ = policy.judge(&asking, &mut RateState::default());
        }
    }

    #[test]
    fn no_more_events_leave_than_a_rate_allows(rate in 1_u32..30, gaps in proptest::collection::vec(0_u64..20_000, 1..60)) {
        let policy = Policy { per_minute: Some(rate), ..Policy::default() };
        let (member, mut rates, mut at, mut kept) = (MemberId(Box::from("m")), RateState::default(), 5_000, Vec::new());
        for gap in gaps {
            at += gap;
            let now = Now { monotonic: Monotonic(at), ..Now::default() };
            let asking = Asking {
                event_type: "e", member: &member, metadata: ValueRef::Null, sender: Sender::Person, now,
            };
            if let Verdict::Keep(_) = policy.judge(&asking, &mut rates) {
                kept.push(at);
            }
        }
        for (place, from) in kept.iter().enumerate() {
            for (further, to) in kept[place..].iter().enumerate() {
                prop_assert!((further as u64 + 1) <= u64::from(rate) + u64::from(rate) * (to - from) / 60_000);
            }
        }
        prop_assert!(!kept.is_empty());
    }
}

#[test]
fn a_share_of_visitors_is_let_in_and_each_smaller_share_is_a_part_of_it() {
    let judge = |share: u32, member: &MemberId| {
        let mut of_type = TypePolicy::new("e");
        of_type.share = share;
        let policy = Policy { seed: Box::from("s"), types: Vec::from([of_type]), ..Policy::default() };
        let (metadata, sender, now) = (ValueRef::Null, Sender::Person, Now::default());
        let asking = Asking { event_type: "e", member, metadata, sender, now };
        matches!(policy.judge(&asking, &mut RateState::default()), Verdict::Keep(_))
    };
    let members: Vec<MemberId> =
        (0..10_000).map(|id| MemberId(format!("member-{id}").into_boxed_str())).collect();
    let quarter = members.iter().filter(|member| judge(2_500, member)).count();
    assert!((2_350..2_650).contains(&quarter), "{quarter}");
    assert!(members.iter().all(|member| !judge(1_000, member) || judge(2_500, member)));
}

#[test]
fn a_text_that_takes_a_round_for_each_number_becomes_one_mark() {
    let list = |count: usize| Vec::from_iter((0..count).map(|_| "0151 1234567")).join(",");
    assert_eq!(redacted(&list(3)), "[phone],[phone],[phone]");
    assert_eq!(redacted(&["Call ", &list(2_000)].concat()), "[phone]");
}
