//! What is counted as text, in the form that whoever asks reads.

use super::histogram::{Histogram, Scale};
use super::{Labelled, Metrics, Number, Series};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, MetricEncoder, NoLabelSet,
};
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// A form of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own, version 0.0.4.
    Prometheus,
}

impl Form {
    /// The form that an `Accept` header prefers (RFC 9110, section 12.5.1); Prometheus' own where it says nothing of either.
    pub fn preferred(accept: &str) -> Self {
        let mut preferred = (Self::Prometheus, 0.0);
        for range in accept.split(',') {
            let mut parts = range.split(';').map(str::trim);
            let form = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "application/openmetrics-text" => Self::OpenMetrics,
                "text/plain" | "text/*" | "*/*" => Self::Prometheus,
                _ => continue,
            };
            let parameters: Vec<(&str, &str)> = parts.filter_map(|part| part.split_once('=')).collect();
            let parameter = |name: &str| {
                let found = parameters.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
                found.map(|(_, value)| value.trim().trim_matches('"'))
            };
            let quality = parameter("q").map_or(1.0, |q| q.parse().unwrap_or(0.0));
            // Of OpenMetrics there is nothing else that is written here.
            let is_ours = form == Self::Prometheus
                || parameter("version").is_none_or(|version| matches!(version, "1.0.0" | "0.0.1"));
            if is_ours && quality > preferred.1 {
                preferred = (form, quality);
            }
        }
        preferred.0
    }

    /// The content type.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// Everything that is counted.
    pub fn write(self, metrics: &Arc<Metrics>) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(metrics.clone()));
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = match self {
            Self::OpenMetrics => text::encode(&mut out, &registry),
            Self::Prometheus => prometheus_text::encode(&mut out, &registry),
        };
        out
    }
}

impl Collector for Metrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out { encoder, ended: Ok(()) };
        self.write(&mut out);
        out.ended
    }
}

/// Where metrics are written, and whether that has failed.
#[derive(Debug)]
pub struct Out<'a> {
    encoder: DescriptorEncoder<'a>,
    ended: fmt::Result,
}

impl Out<'_> {
    fn family(
        &mut self,
        name: &str,
        help: &str,
        kind: MetricType,
        write: impl FnOnce(&mut MetricEncoder<'_>) -> fmt::Result,
    ) {
        let written = self
            .encoder
            .encode_descriptor(name, help, None, kind)
            .and_then(|mut encoder| write(&mut encoder));
        self.ended = self.ended.and(written);
    }
}

/// Writes a counter, whose name ends in `_total`.
pub fn counter(out: &mut Out<'_>, name: &str, help: &str, number: &Number) {
    out.family(base(name), help, MetricType::Counter, |encoder| count(encoder, number.get()));
}

/// Writes a gauge.
pub fn gauge(out: &mut Out<'_>, name: &str, help: &str, number: &Number) {
    out.family(name, help, MetricType::Gauge, |encoder| encoder.encode_gauge(&number.get()));
}

/// Writes a gauge of seconds from a number of microseconds.
pub fn seconds(out: &mut Out<'_>, name: &str, help: &str, micros: &Number) {
    let seconds = Duration::from_micros(micros.get()).as_secs_f64();
    out.family(name, help, MetricType::Gauge, |encoder| encoder.encode_gauge(&seconds));
}

/// Writes a gauge for each value of one label.
pub fn gauges<V: EncodeGaugeValue>(
    out: &mut Out<'_>,
    name: &str,
    help: &str,
    label: &str,
    values: &[(&str, V)],
) {
    out.family(name, help, MetricType::Gauge, |encoder| {
        values.iter().try_for_each(|(of, value)| encoder.encode_family(&[(label, *of)])?.encode_gauge(value))
    });
}

/// Writes a counter or gauge for each code.
pub fn labelled(out: &mut Out<'_>, name: &str, help: &str, kind: &str, counts: &Labelled) {
    let counts = counts.0.lock().unwrap_or_else(PoisonError::into_inner);
    numbers(out, name, help, kind, counts.iter().map(|(code, value)| ([("code", code.as_str())], *value)));
}

/// Writes a counter or gauge for each set of labels.
pub fn series(out: &mut Out<'_>, name: &str, help: &str, kind: &str, series: &Series) {
    let series = series.0.lock().unwrap_or_else(PoisonError::into_inner);
    numbers(out, name, help, kind, series.iter().map(|(labels, value)| (&labels[..], *value)));
}

/// Writes a histogram.
pub fn histogram<S: Scale>(out: &mut Out<'_>, name: &str, help: &str, histogram: &Histogram<S>) {
    let read = histogram.read();
    out.family(name, help, MetricType::Histogram, |encoder| {
        encoder.encode_histogram::<NoLabelSet>(read.sum, read.count, &read.buckets, None)
    });
}

fn numbers<L: EncodeLabelSet>(
    out: &mut Out<'_>,
    name: &str,
    help: &str,
    kind: &str,
    mut all: impl Iterator<Item = (L, u64)>,
) {
    let is_counter = kind == "counter";
    let (name, kind) = if is_counter { (base(name), MetricType::Counter) } else { (name, MetricType::Gauge) };
    out.family(name, help, kind, |encoder| {
        all.try_for_each(|(labels, value)| {
            let mut encoder = encoder.encode_family(&labels)?;
            if is_counter { count(&mut encoder, value) } else { encoder.encode_gauge(&value) }
        })
    });
}

fn count(encoder: &mut MetricEncoder<'_>, value: u64) -> fmt::Result {
    encoder.encode_counter::<NoLabelSet, _, u64>(&value, None)
}

/// The family of a counter; what its samples end in is written with them.
fn base(name: &str) -> &str {
    name.strip_suffix("_total").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_gets_the_form_that_it_prefers() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, expected) in [
            ("", Form::Prometheus),
            ("*/*", Form::Prometheus),
            ("text/html, image/png", Form::Prometheus),
            ("application/openmetrics-text", Form::OpenMetrics),
            ("Application/OpenMetrics-Text; version=\"1.0.0\"", Form::OpenMetrics),
            ("application/openmetrics-text; version=2.0.0", Form::Prometheus),
            ("application/openmetrics-text; q=0", Form::Prometheus),
            ("text/plain, application/openmetrics-text; q=0.9", Form::Prometheus),
            (prometheus, Form::OpenMetrics),
        ] {
            assert_eq!(Form::preferred(accept), expected, "{accept}");
        }
    }
}
