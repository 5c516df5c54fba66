//! Flags of a command: `--name value`, `--name=value`, or a bare `--name`.

use crate::failure::Failure;
use std::str::FromStr;

/// The arguments not taken yet; what is left at the end is a mistake of the caller.
pub struct Arguments {
    left: Vec<String>,
    /// The flags that were asked for.
    known: Vec<String>,
}

impl Arguments {
    /// The arguments after the command's name.
    pub fn new(arguments: &[String]) -> Self {
        Self { left: arguments.to_vec(), known: Vec::new() }
    }

    /// Takes the value of `--name`, or the default where the flag is absent.
    ///
    /// # Errors
    /// A flag without a value, or a value that does not parse.
    pub fn value<T: FromStr>(&mut self, name: &str, default: T) -> Result<T, Failure> {
        match self.text(name)? {
            None => Ok(default),
            Some(text) => {
                text.parse().map_err(|_| Failure::new(format!("{name}: `{text}` is not a valid value")))
            }
        }
    }

    /// Takes the rest, each of which must be no flag.
    ///
    /// # Errors
    /// A flag that the command does not know.
    pub fn finish(self) -> Result<Vec<String>, Failure> {
        let Some(unknown) = self.left.iter().find(|argument| argument.starts_with('-')) else {
            return Ok(self.left);
        };
        let flags = match self.known.as_slice() {
            [] => "there are no flags here".to_owned(),
            known => format!("there are {}", known.join(", ")),
        };
        Err(Failure::new(format!("unknown flag `{unknown}`; {flags}")))
    }

    fn text(&mut self, name: &str) -> Result<Option<String>, Failure> {
        self.known.push(name.to_owned());
        let joined = format!("{name}=");
        if let Some(at) = self.left.iter().position(|argument| argument.starts_with(&joined)) {
            return Ok(Some(self.left.remove(at)[joined.len()..].to_owned()));
        }
        let Some(at) = self.left.iter().position(|argument| argument == name) else { return Ok(None) };
        self.left.remove(at);
        if at >= self.left.len() {
            return Err(Failure::new(format!("{name} needs a value")));
        }
        Ok(Some(self.left.remove(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> Arguments {
        Arguments::new(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn a_value_is_taken_in_both_forms() {
        assert_eq!(arguments("--port 8000").value("--port", 1_u16).unwrap(), 8000);
        assert_eq!(arguments("--port=8000").value("--port", 1_u16).unwrap(), 8000);
        assert_eq!(arguments("").value("--port", 1_u16).unwrap(), 1);
    }

    #[test]
    fn mistakes_are_named() {
        assert!(arguments("--port").value("--port", 1_u16).is_err());
        assert!(arguments("--port x").value("--port", 1_u16).is_err());
        let mut mistyped = arguments("--prot 8000");
        assert_eq!(mistyped.value("--port", 1_u16).unwrap(), 1);
        assert_eq!(mistyped.value("--data-dir", String::new()).unwrap(), "");
        let told = mistyped.finish().unwrap_err().to_string();
        assert_eq!(told, "unknown flag `--prot`; there are --port, --data-dir");
        let told = arguments("--prot").finish().unwrap_err().to_string();
        assert_eq!(told, "unknown flag `--prot`; there are no flags here");
    }
}
