//! Whom triggers may call: the operator's file of destinations, which no page sees.

use super::email::{Email, MailServer, Security, Template};
use super::firing::{Action, Firing};
use super::signature::SigningSecret;
use super::verdict::{Trouble, Verdict};
use super::webhook::{Webhook, WebhookSettings};
use crate::clock;
use crate::limits::{
    CALL_TIMEOUT_MS, DESTINATION_CALLS, MAX_CALL_TIMEOUT_MS, MAX_DESTINATION_CALLS,
    MAX_DESTINATION_FILE_BYTES, MAX_DESTINATIONS, MIN_CALL_TIMEOUT_MS,
};
use attune_core::limits::MAX_ID_CHARS;
use attune_core::time::parse_duration_ms;
use lettre::transport::smtp::authentication::Credentials;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// All destinations, by name.
#[derive(Debug, Default)]
pub struct Destinations {
    by_name: BTreeMap<String, Arc<Destination>>,
    /// Names of webhooks, by address.
    by_url: BTreeMap<String, String>,
}

/// One destination.
#[derive(Debug)]
pub struct Destination {
    /// Its name in rules and metrics.
    pub name: String,
    /// Calls open at a time.
    pub calls: usize,
    /// Whether it is somebody else's than the site's, who hears of no visitor that has opted out of that.
    pub is_third_party: bool,
    channel: Channel,
}

#[derive(Debug)]
enum Channel {
    Webhook(Box<Webhook>),
    Email(Box<Email>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    webhooks: Vec<WebhookEntry>,
    mail: Option<MailEntry>,
    #[serde(default)]
    emails: Vec<EmailEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookEntry {
    name: String,
    url: String,
    secret: Option<String>,
    secret_file: Option<String>,
    timeout: Option<String>,
    calls: Option<usize>,
    #[serde(default)]
    allow_private: bool,
    third_party: Option<bool>,
    ca_file: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MailEntry {
    server: String,
    port: Option<u16>,
    #[serde(default)]
    security: SecurityName,
    username: Option<String>,
    password: Option<String>,
    password_file: Option<String>,
    from: String,
    timeout: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SecurityName {
    #[default]
    Starttls,
    Tls,
    None,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailEntry {
    name: String,
    from: Option<String>,
    to: String,
    subject: String,
    text: String,
    calls: Option<usize>,
}

impl Destinations {
    /// Reads a file of destinations. Files that it names are sought beside it.
    ///
    /// # Errors
    /// Names the file and what is wrong where.
    pub fn read_file(path: &Path) -> Result<Self, String> {
        let read = || -> Result<Self, String> {
            let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
            if text.len() > MAX_DESTINATION_FILE_BYTES {
                return Err(format!("has {} bytes; the limit is {MAX_DESTINATION_FILE_BYTES}", text.len()));
            }
            let file: File = serde_json::from_str(&text).map_err(|error| error.to_string())?;
            file.check(path.parent().unwrap_or(Path::new(".")))
        };
        read().map_err(|what| format!("{}: {what}", path.display()))
    }

    /// The destination that an action calls.
    ///
    /// # Errors
    /// There is none; the text says what was sought.
    pub fn find(&self, action: &Action) -> Result<&Arc<Destination>, Trouble> {
        let name = match (&action.destination, &action.url) {
            (Some(name), _) => Some(name),
            (None, Some(url)) => self.by_url.get(url),
            (None, None) => None,
        };
        let found = name.and_then(|name| self.by_name.get(name));
        found.filter(|found| found.kind() == action.kind).ok_or_else(|| {
            let by = if action.destination.is_some() { "the name" } else { "the url" };
            let message = format!("--destinations has no {} of {by} {}", action.kind, action.whom());
            Trouble::new("destination_unknown", message)
        })
    }

    /// Whether there is one of this name.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Destination>> {
        self.by_name.values()
    }

    fn add(&mut self, destination: Destination) -> Result<(), String> {
        let name = destination.name.clone();
        match self.by_name.insert(name.clone(), Arc::new(destination)) {
            Some(_) => Err(format!("name '{name}' is another destination's already")),
            None if self.by_name.len() > MAX_DESTINATIONS => {
                Err(format!("there may be {MAX_DESTINATIONS} destinations at most"))
            }
            None => Ok(()),
        }
    }
}

impl Destination {
    /// `webhook` or `email`.
    pub const fn kind(&self) -> &'static str {
        match self.channel {
            Channel::Webhook(_) => "webhook",
            Channel::Email(_) => "email",
        }
    }

    /// Whether what is sent has the visitor's traits in it.
    pub const fn reads_traits(&self) -> bool {
        matches!(self.channel, Channel::Email(_))
    }

    /// Calls it for a firing, with the visitor's traits as they are now.
    pub async fn call(&self, firing: &Firing, traits: Value) -> Verdict {
        match &self.channel {
            Channel::Webhook(webhook) => webhook.call(&firing.id, firing.body(), clock::now()).await,
            Channel::Email(email) => {
                let mut fields = firing.fields();
                fields["traits"] = traits;
                email.send(&format!("{}.{}", firing.id, self.name), &fields).await
            }
        }
    }
}

impl File {
    fn check(self, folder: &Path) -> Result<Destinations, String> {
        let mut all = Destinations::default();
        for (index, entry) in self.webhooks.into_iter().enumerate() {
            let url = entry.url.clone();
            let named = entry.check(folder).and_then(|destination| {
                if let Some(other) = all.by_url.insert(url.clone(), destination.name.clone()) {
                    return Err(format!("url '{url}' is that of '{other}' already"));
                }
                all.add(destination)
            });
            named.map_err(|what| format!("webhooks[{index}].{what}"))?;
        }
        if self.emails.is_empty() {
            return Ok(all);
        }
        let mail = self.mail.ok_or("emails need a mail server: \"mail\":{\"server\",\"from\"}")?;
        let server = mail.check(folder).map_err(|what| format!("mail.{what}"))?;
        for (index, entry) in self.emails.into_iter().enumerate() {
            let added = entry.check(&server, &mail.from).and_then(|destination| all.add(destination));
            added.map_err(|what| format!("emails[{index}].{what}"))?;
        }
        Ok(all)
    }
}

impl WebhookEntry {
    fn check(self, folder: &Path) -> Result<Destination, String> {
        let name = checked_name(self.name)?;
        let calls = checked_calls(self.calls)?;
        let timeout = checked_timeout(self.timeout.as_deref())?;
        let secret = one_of(folder, "secret", self.secret, self.secret_file)?;
        let secret = secret.ok_or("secret or secret_file is required")?;
        let secret = SigningSecret::parse(&secret).map_err(|what| format!("secret {what}"))?;
        let authorities = self.ca_file.map(|file| {
            let path = folder.join(&file);
            let read = CertificateDer::pem_file_iter(&path).and_then(Iterator::collect);
            read.map_err(|error| format!("ca_file {}: {error}", path.display()))
        });
        let webhook = Webhook::new(WebhookSettings {
            url: self.url,
            secret,
            allow_private: self.allow_private,
            timeout,
            calls,
            authorities: authorities.transpose()?.unwrap_or_default(),
        })?;
        // Whoever processes for the site alone is named as such; everybody else might use it for themselves.
        let is_third_party = self.third_party.unwrap_or(true);
        Ok(Destination { name, calls, is_third_party, channel: Channel::Webhook(Box::new(webhook)) })
    }
}

impl MailEntry {
    fn check(&self, folder: &Path) -> Result<MailServer, String> {
        let password = one_of(folder, "password", self.password.clone(), self.password_file.clone())?;
        let security = match self.security {
            SecurityName::Starttls => Security::StartTls,
            SecurityName::Tls => Security::Tls,
            SecurityName::None => Security::None,
        };
        let credentials = match (self.username.clone(), password) {
            (Some(_), Some(_)) if security == Security::None => {
                return Err("security none would send the password in the clear".to_owned());
            }
            (Some(name), Some(password)) => Some(Credentials::new(name, password)),
            (None, None) => None,
            _ => return Err("username and password or password_file belong together".to_owned()),
        };
        if self.server.is_empty() {
            return Err("server must be the name of a mail server".to_owned());
        }
        let (host, port, timeout) =
            (self.server.clone(), self.port, checked_timeout(self.timeout.as_deref())?);
        Ok(MailServer { host, port, security, credentials, timeout })
    }
}

impl EmailEntry {
    fn check(self, server: &MailServer, from: &str) -> Result<Destination, String> {
        let name = checked_name(self.name)?;
        let calls = checked_calls(self.calls)?;
        let from = self.from.as_deref().unwrap_or(from);
        let from =
            from.parse().map_err(|error| format!("from '{from}' must be an e-mail address: {error}"))?;
        let template = Template { from, to: self.to, subject: self.subject, text: self.text };
        let channel = Channel::Email(Box::new(Email::new(server, template)?));
        // The site's own mail server carries it to whom the template names.
        Ok(Destination { name, calls, is_third_party: false, channel })
    }
}

/// A text that stands there or in a file of its own.
fn one_of(
    folder: &Path,
    field: &str,
    text: Option<String>,
    file: Option<String>,
) -> Result<Option<String>, String> {
    match (text, file) {
        (Some(_), Some(_)) => Err(format!("{field} and {field}_file exclude each other")),
        (text, None) => Ok(text),
        (None, Some(file)) => {
            let path = folder.join(file);
            let read = fs::read_to_string(&path).map(|text| Some(text.trim().to_owned()));
            read.map_err(|error| format!("{field}_file {}: {error}", path.display()))
        }
    }
}

fn checked_name(name: String) -> Result<String, String> {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
    if !name.is_empty() && name.len() <= MAX_ID_CHARS && name.chars().all(is_plain) {
        return Ok(name);
    }
    Err(format!("name '{name}' must be 1 to {MAX_ID_CHARS} letters, digits, '-', '_' or '.'"))
}

fn checked_calls(calls: Option<usize>) -> Result<usize, String> {
    let calls = calls.unwrap_or(DESTINATION_CALLS);
    let fits = (1..=MAX_DESTINATION_CALLS).contains(&calls);
    fits.then_some(calls).ok_or_else(|| format!("calls must be a number from 1 to {MAX_DESTINATION_CALLS}"))
}

fn checked_timeout(text: Option<&str>) -> Result<Duration, String> {
    let ms = text.map_or(Some(CALL_TIMEOUT_MS), parse_duration_ms);
    let fitting = ms.filter(|ms| (MIN_CALL_TIMEOUT_MS..=MAX_CALL_TIMEOUT_MS).contains(ms));
    let ms = fitting.and_then(|ms| u64::try_from(ms).ok());
    ms.map(Duration::from_millis).ok_or_else(|| {
        let (least, most) = (MIN_CALL_TIMEOUT_MS, MAX_CALL_TIMEOUT_MS / 1_000);
        format!("timeout must be a duration such as 10s, from {least}ms to {most}s")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn read(text: &str) -> Result<Destinations, String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("crm.secret"), format!("{SECRET}\n")).unwrap();
        let path = folder.path().join("destinations.json");
        fs::write(&path, text).unwrap();
        Destinations::read_file(&path)
            .map_err(|told| told.strip_prefix(&format!("{}: ", path.display())).unwrap().to_owned())
    }

    fn action(kind: &str, destination: Option<&str>, url: Option<&str>) -> Action {
        Action { kind: kind.into(), destination: destination.map(Into::into), url: url.map(Into::into) }
    }

    #[test]
    fn destinations_are_found_by_name_and_kind_or_by_address() {
        let all = read(
            r#"{"webhooks":[{"name":"crm","url":"https://crm.example/hook","secret_file":"crm.secret","calls":2}],
                "mail":{"server":"mail.example","from":"Shop <hello@shop.example>"},
                "emails":[{"name":"welcome","to":"{{ traits.email }}","subject":"Hello","text":"Hello"}]}"#,
        )
        .unwrap();
        let name = |action| all.find(&action).map(|found| (found.name.clone(), found.calls));
        let crm = Ok(("crm".to_owned(), 2));
        assert_eq!(name(action("webhook", Some("crm"), None)), crm);
        assert_eq!(name(action("webhook", None, Some("https://crm.example/hook"))), crm);
        assert_eq!(
            name(action("email", Some("welcome"), None)),
            Ok(("welcome".to_owned(), DESTINATION_CALLS))
        );
        for (wrong, message) in [
            (action("webhook", Some("welcome"), None), "--destinations has no webhook of the name welcome"),
            (action("email", Some("crm"), None), "--destinations has no email of the name crm"),
            (
                action("webhook", None, Some("https://crm.example/")),
                "--destinations has no webhook of the url https://crm.example/",
            ),
            (action("push", None, None), "--destinations has no push of the url "),
        ] {
            assert_eq!(name(wrong), Err(Trouble::new("destination_unknown", message)));
        }
    }

    #[test]
    fn the_file_of_the_guide_is_one() {
        let guide = include_str!("../../../docs/triggers.md");
        let file = guide.split("```json\n").find(|block| block.starts_with("{\"webhooks\"")).unwrap();
        let file = file.split("```").next().unwrap().replace("whsec_…", SECRET);
        let folder = tempfile::tempdir().unwrap();
        let authority = rcgen::generate_simple_self_signed(["erp.intern.example".to_owned()]).unwrap();
        for (name, text) in [
            ("crm.secret", SECRET),
            ("smtp.password", "hidden"),
            ("our-ca.pem", &*authority.cert.pem()),
            ("destinations.json", &*file),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let all = Destinations::read_file(&folder.path().join("destinations.json")).unwrap();
        let names: Vec<&str> = all.iter().map(|destination| &*destination.name).collect();
        assert_eq!(names, ["cart-left", "crm", "erp"]);
        assert!(!format!("{all:?}").contains("hidden"), "no secret shows itself");
        assert!(!format!("{all:?}").contains(SECRET));
    }

    #[test]
    fn a_bad_entry_is_told_with_its_place_and_what_it_needs() {
        let webhook =
            |more: &str| format!(r#"{{"webhooks":[{{"name":"a","url":"https://a.example/",{more}}}]}}"#);
        let secret = &format!(r#""secret":"{SECRET}""#);
        let mail = r#""mail":{"server":"m.example","from":"a@b.example"}"#;
        for (text, expected) in [
            ("{".to_owned(), "EOF while parsing"),
            (webhook(r#""sceret":"x""#), "unknown field `sceret`"),
            (webhook(r#""calls":1"#), "webhooks[0].secret or secret_file is required"),
            (webhook(r#""secret":"x""#), "webhooks[0].secret must be whsec_ and 24 to 64 random bytes"),
            (webhook(&format!(r#"{secret},"secret_file":"x""#)), "webhooks[0].secret and secret_file exclude"),
            (webhook(r#""secret_file":"none""#), "none: No such file"),
            (webhook(&format!(r#"{secret},"calls":65"#)), "webhooks[0].calls must be a number from 1 to 64"),
            (webhook(&format!(r#"{secret},"timeout":"2m""#)), "webhooks[0].timeout must be a duration such as 10s, from 100ms to 60s"),
            (webhook(&format!(r#"{secret},"ca_file":"none""#)), "webhooks[0].ca_file"),
            (
                format!(r#"{{"webhooks":[{{"name":"a b","url":"https://a.example/",{secret}}}]}}"#),
                "webhooks[0].name 'a b' must be 1 to",
            ),
            (
                format!(r#"{{"webhooks":[{{"name":"a","url":"http://10.0.0.1/",{secret}}}]}}"#),
                "webhooks[0].url 'http://10.0.0.1/' leads to a private address",
            ),
            (
                format!(
                    r#"{{"webhooks":[{{"name":"a","url":"https://a.example/",{secret}}},{{"name":"a","url":"https://b.example/",{secret}}}]}}"#
                ),
                "webhooks[1].name 'a' is another destination's already",
            ),
            (
                format!(
                    r#"{{"webhooks":[{{"name":"a","url":"https://a.example/",{secret}}},{{"name":"b","url":"https://a.example/",{secret}}}]}}"#
                ),
                "webhooks[1].url 'https://a.example/' is that of 'a' already",
            ),
            (r#"{"emails":[{"name":"a","to":"x","subject":"x","text":"x"}]}"#.to_owned(), "emails need a mail server"),
            (
                format!(r#"{{{mail},"emails":[{{"name":"a","to":"x","subject":"{{{{","text":"x"}}]}}"#),
                "emails[0].subject syntax error",
            ),
            (
                format!(r#"{{{mail},"emails":[{{"name":"a","from":"b","to":"x","subject":"x","text":"x"}}]}}"#),
                "emails[0].from 'b' must be an e-mail address",
            ),
            (
                r#"{"mail":{"server":"m.example","from":"a@b.example","username":"u"},"emails":[{"name":"a","to":"x","subject":"x","text":"x"}]}"#.to_owned(),
                "mail.username and password",
            ),
            (
                r#"{"mail":{"server":"m.example","from":"a@b.example","security":"none","username":"u","password":"p"},"emails":[{"name":"a","to":"x","subject":"x","text":"x"}]}"#.to_owned(),
                "mail.security none would send the password in the clear",
            ),
        ] {
            let told = read(&text).unwrap_err();
            assert!(told.contains(expected), "{text}: {told}");
            assert_eq!(told.lines().count(), 1, "{told}");
        }
    }
}
