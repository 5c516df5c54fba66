//! Whether a user agent says that it is a program and nobody's browser.

use crate::value::cut;

/// What programs that open pages have in their names, small, with spaces between. Libraries that only fetch are not among
/// them: they run no page, and a site's own backend may send events with one.
const PARTS: &str = "bot crawl spider headless lighthouse slurp facebookexternalhit mediapartners phantomjs puppeteer \
     playwright selenium webdriver cypress synthetic prerender preview pagespeed pingdom gtmetrix ptst/ monitor archiver \
     validator";
/// A maker of phones, whose name ends as programs' do.
const MAKER: &[u8] = b"cu";

/// Whether one of the parts is in a user agent; a missing or empty one is taken for a browser's.
pub fn is_bot(user_agent: &str) -> bool {
    let bytes = user_agent.as_bytes();
    (0..bytes.len()).any(|at| {
        let here = bytes.get(at..).unwrap_or_default();
        let is_part = |part: &str| {
            here.get(..part.len()).is_some_and(|found| found.eq_ignore_ascii_case(part.as_bytes()))
        };
        let is_phone = || {
            let maker = at.checked_sub(MAKER.len()).and_then(|from| bytes.get(from..at));
            maker.is_some_and(|found| found.eq_ignore_ascii_case(MAKER))
        };
        let mut rest = Some(PARTS);
        while let Some(parts) = rest {
            let part;
            (part, rest) = cut(parts, b' ');
            if is_part(part) && !is_phone() {
                return true;
            }
        }
        false
    })
}
