//! E-mail by the operator's mail server: a subject and a text, filled in from the firing and the visitor's traits.

use super::verdict::{Trouble, Verdict};
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;
use std::time::Duration;
use tokio::time::timeout;

/// How the mail server is reached.
#[derive(Clone, Debug)]
pub struct MailServer {
    /// Its name, which its certificate has to have.
    pub host: String,
    /// Its port; where absent, the usual one of the security.
    pub port: Option<u16>,
    /// How the connection is kept secret.
    pub security: Security,
    /// User name and password; they do not show themselves.
    pub credentials: Option<Credentials>,
    /// For how long sending one may take.
    pub timeout: Duration,
}

/// How a connection to a mail server is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// It begins in the clear and must become secret before anything is said (RFC 3207).
    StartTls,
    /// It is secret from the first byte (RFC 8314).
    Tls,
    /// It is not.
    None,
}

/// What an e-mail says, as templates.
#[derive(Debug)]
pub struct Template {
    /// Who sends it.
    pub from: Mailbox,
    /// To whom it goes.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub text: String,
}

/// An e-mail that can be sent.
#[derive(Debug)]
pub struct Email {
    from: Mailbox,
    templates: Environment<'static>,
    transport: AsyncSmtpTransport<Tokio1Executor>,
    timeout: Duration,
}

impl Email {
    /// Reads the templates and prepares the way to the server; nothing is looked up yet.
    ///
    /// # Errors
    /// The field that cannot be used, and why.
    pub fn new(server: &MailServer, template: Template) -> Result<Self, String> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Chainable);
        for (name, source) in [("to", template.to), ("subject", template.subject), ("text", template.text)] {
            templates.add_template_owned(name, source).map_err(|error| format!("{name} {error}"))?;
        }
        let transport = transport(server).map_err(|error| format!("server {error}"))?;
        Ok(Self { from: template.from, templates, transport, timeout: server.timeout })
    }

    /// Sends it under an id, filled in with what there is to say.
    pub async fn send(&self, id: &str, fields: &Value) -> Verdict {
        let message = match self.message(id, fields) {
            Ok(message) => message,
            Err(trouble) => return Verdict::Dead(trouble),
        };
        match timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(_)) => Verdict::Done,
            Err(_) => again("timeout", format!("no answer within {} ms", self.timeout.as_millis())),
            // What the server says may name whom it was for.
            Ok(Err(error)) => match error.status() {
                Some(code) if error.is_permanent() => {
                    Verdict::Dead(Trouble::new("refused", format!("the mail server answered {code}")))
                }
                Some(code) => again("status", format!("the mail server answered {code}")),
                None => again("connection", error.to_string()),
            },
        }
    }

    fn message(&self, id: &str, fields: &Value) -> Result<Message, Trouble> {
        let filled = |name: &str| {
            let filled = self.templates.get_template(name).and_then(|template| template.render(fields));
            filled.map_err(|error| Trouble::new("template", format!("{name}: {:?}", error.kind())))
        };
        let to = filled("to")?;
        if to.trim().is_empty() {
            return Err(Trouble::new("recipient_missing", "nothing stands at what 'to' names"));
        }
        let wrong = |_| Trouble::new("recipient_invalid", "what 'to' comes to is no e-mail address");
        let to: Mailbox = to.trim().parse().map_err(wrong)?;
        // One line, whatever a trait has in it.
        let subject = filled("subject")?.split_whitespace().collect::<Vec<_>>().join(" ");
        let text = filled("text")?;
        let id = format!("<{id}@{}>", self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .message_id(Some(id))
            .header(ContentType::TEXT_PLAIN)
            .body(text)
            .map_err(|error| Trouble::new("unsendable", error.to_string()))
    }
}

fn again(code: &'static str, message: String) -> Verdict {
    Verdict::Again(Trouble::new(code, message), None)
}

fn transport(server: &MailServer) -> Result<AsyncSmtpTransport<Tokio1Executor>, String> {
    let builder = match server.security {
        Security::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&server.host),
        Security::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&server.host),
        Security::None => Ok(AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)),
    };
    let mut builder = builder.map_err(|error| error.to_string())?.timeout(Some(server.timeout));
    if let Some(port) = server.port {
        builder = builder.port(port);
    }
    if let Some(credentials) = server.credentials.clone() {
        builder = builder.credentials(credentials);
    }
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn email(to: &str, subject: &str, text: &str) -> Result<Email, String> {
        let server = MailServer {
            host: "mail.example".into(),
            port: None,
            security: Security::StartTls,
            credentials: None,
            timeout: Duration::from_secs(1),
        };
        let from = "Shop <hello@shop.example>".parse().unwrap();
        Email::new(&server, Template { from, to: to.into(), subject: subject.into(), text: text.into() })
    }

    #[test]
    fn templates_are_filled_in_and_cannot_add_headers() {
        let email = email(
            "{{ traits.email }}",
            "Hello {{ traits.name | default('you') }}",
            "{% if key %}{{ key }}{% endif %}{{ traits.nothing.at.all }}!",
        )
        .unwrap();
        let filled = |fields: &Value| {
            let message = email.message("f-1", fields).map(|message| message.formatted());
            message.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|trouble| trouble.code)
        };
        let fields =
            json!({"key": "shoes", "traits": {"email": "ada@b.example", "name": "A\r\nBcc: x@y.example"}});
        let text = filled(&fields).unwrap();
        for line in [
            "From: Shop <hello@shop.example>",
            "To: ada@b.example",
            "Subject: Hello A Bcc: x@y.example",
            "Message-ID: <f-1@shop.example>",
            "shoes!",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
        let of = |email: &str| filled(&json!({"traits": {"email": email}}));
        assert_eq!(filled(&json!({"traits": {}})), Err("recipient_missing"));
        for email in ["ada", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example"] {
            assert_eq!(of(email), Err("recipient_invalid"), "{email}");
        }
        assert!(of("ada@b.example").unwrap().contains("Subject: Hello you\r\n"));
    }

    #[test]
    fn a_template_that_cannot_be_read_is_told_with_its_field() {
        let told = email("{{ traits.email }}", "{{ traits.", "x").unwrap_err();
        assert!(told.starts_with("subject syntax error") && told.lines().count() == 1, "{told}");
    }
}
