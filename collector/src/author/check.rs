//! `attune bundle check`: what is wrong, what can never hold or win, what nothing reads, and what it all costs.

use super::source::{Folder, count_errors};
use super::{Outcome, print, print_json};
use crate::settings::{CheckArguments, Format};
use attune_core::bundle::author::{
    Compiled, Cost, Diagnostic, RuleCost, Severity, SourceFile, compile, cost, review,
};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io;

/// Rules whose cost is named in the text form.
const NAMED_RULES: usize = 5;
/// Brotli's best quality, with which bundles are published.
const BROTLI_QUALITY: u32 = 11;
/// Brotli's window, as the logarithm of its size: larger than any bundle that makes sense.
const BROTLI_WINDOW: u32 = 22;

/// Checks a folder; it is found wanting where there is an error, never for a warning.
pub fn run(arguments: &CheckArguments) -> Result<Outcome, String> {
    let Folder { files, compiled } = Folder::read(&arguments.folder)?;
    let findings = findings(&files, &compiled);
    let (cost, brotli_bytes) = (cost(&compiled), compressed_bytes(&compiled.body));
    let errors = count_errors(&findings);
    match arguments.format {
        Format::Text => print(&text(&findings, &cost, brotli_bytes))?,
        Format::Json => print_json(&json(&findings, &cost, brotli_bytes))?,
    }
    Ok(if errors > 0 { Outcome::Found } else { Outcome::Clean })
}

/// Rule files that have been checked.
#[derive(Debug)]
pub struct Checked {
    /// What they amount to.
    pub body: Vec<u8>,
    /// How many of the findings are errors.
    pub errors: usize,
    /// What `attune bundle check --format json` says of them.
    pub report: Value,
}

/// Checks rule files that are in memory.
pub fn check(files: &[SourceFile]) -> Checked {
    let compiled = compile(files);
    let findings = findings(files, &compiled);
    let report = json(&findings, &cost(&compiled), compressed_bytes(&compiled.body));
    Checked { errors: count_errors(&findings), report, body: compiled.body }
}

fn findings(files: &[SourceFile], compiled: &Compiled) -> Vec<Diagnostic> {
    let mut findings = compiled.diagnostics.clone();
    findings.extend(review(files, compiled));
    findings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    findings
}

fn compressed_bytes(body: &[u8]) -> usize {
    let mut reader = brotli::CompressorReader::new(body, 4_096, BROTLI_QUALITY, BROTLI_WINDOW);
    // Reading from memory cannot fail.
    io::copy(&mut reader, &mut io::sink()).map_or(0, |bytes| bytes as usize)
}

fn text(findings: &[Diagnostic], cost: &Cost, brotli_bytes: usize) -> String {
    let mut out = String::new();
    for finding in findings {
        let _ = writeln!(out, "{finding}");
    }
    let errors = count_errors(findings);
    let _ = writeln!(out, "{}, {}", counted(errors, "error"), counted(findings.len() - errors, "warning"));
    let _ = writeln!(
        out,
        "{} in {}, {} ({} inactive); {} ({} different); {} and {} of Attune's own, for caps and experiments",
        counted(cost.rules, "rule"),
        counted(cost.slots, "slot"),
        counted(cost.triggers, "trigger"),
        cost.inactive,
        counted(cost.leaves, "leaf condition"),
        cost.distinct_leaves,
        counted(cost.signals, "signal"),
        cost.hidden_signals,
    );
    let _ = writeln!(out, "compiled: {} bytes, {brotli_bytes} with brotli", cost.body_bytes);
    let costly: Vec<&RuleCost> = cost.by_rule.iter().take(NAMED_RULES).collect();
    if !costly.is_empty() {
        let _ = writeln!(out, "most expensive:");
    }
    for rule in costly {
        let place = match &rule.slot {
            Some(slot) => format!("slot {slot}"),
            None if rule.is_trigger => "trigger".to_owned(),
            None => "no slot".to_owned(),
        };
        let _ = writeln!(
            out,
            "  {} ({place}): {} over {}, {} bytes alone",
            rule.id,
            counted(rule.leaves, "leaf condition"),
            counted(rule.reads, "value"),
            rule.bytes,
        );
    }
    out
}

/// A number with its noun.
pub fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn json(findings: &[Diagnostic], cost: &Cost, brotli_bytes: usize) -> Value {
    let findings: Vec<Value> = findings.iter().map(finding_json).collect();
    let by_rule: Vec<Value> = cost
        .by_rule
        .iter()
        .map(|rule| {
            json!({"id": rule.id, "slot": rule.slot, "leaves": rule.leaves, "reads": rule.reads, "bytes": rule.bytes})
        })
        .collect();
    json!({
        "diagnostics": findings,
        "cost": {
            "rules": cost.rules,
            "triggers": cost.triggers,
            "inactive": cost.inactive,
            "slots": cost.slots,
            "leaves": cost.leaves,
            "distinct_leaves": cost.distinct_leaves,
            "signals": cost.signals,
            "hidden_signals": cost.hidden_signals,
            "body_bytes": cost.body_bytes,
            "brotli_bytes": brotli_bytes,
            "by_rule": by_rule,
        },
    })
}

fn finding_json(finding: &Diagnostic) -> Value {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "file": finding.file,
        "line": finding.line,
        "path": finding.path,
        "definition": finding.definition,
        "severity": severity,
        "code": finding.code,
        "message": finding.message,
    })
}
