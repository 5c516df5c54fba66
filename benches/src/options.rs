//! The options of a bench: a name and a value each, lists with commas.

use crate::failure::Failure;
use std::collections::BTreeMap;
use std::str::FromStr;

/// Options as they were given.
#[derive(Debug)]
pub struct Options(BTreeMap<String, String>);

impl Options {
    /// Those of the command line.
    ///
    /// # Errors
    /// One that is not among `known`, or has no value.
    pub fn of_command_line(known: &[&str]) -> Result<Self, Failure> {
        Self::parse(std::env::args().skip(1), known)
    }

    fn parse(arguments: impl IntoIterator<Item = String>, known: &[&str]) -> Result<Self, Failure> {
        let (mut options, mut arguments) = (BTreeMap::new(), arguments.into_iter());
        while let Some(name) = arguments.next() {
            if !known.contains(&name.as_str()) {
                return Err(Failure::new(format!(
                    "unknown option `{name}`; there are: {}",
                    known.join(", ")
                )));
            }
            let value = arguments.next().ok_or_else(|| Failure::new(format!("{name} needs a value")))?;
            options.insert(name, value);
        }
        Ok(Self(options))
    }

    /// A number.
    ///
    /// # Errors
    /// It is none.
    pub fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, Failure> {
        let Some(value) = self.0.get(name) else { return Ok(default) };
        value.parse().map_err(|_| Failure::new(format!("{name}: `{value}` is not a number")))
    }

    /// Those of `known` that are listed, in the order of the list; all of them where there is no list.
    ///
    /// # Errors
    /// Another one is listed.
    pub fn chosen<T: Copy>(&self, name: &str, known: &[(&str, T)]) -> Result<Vec<T>, Failure> {
        let Some(list) = self.0.get(name) else { return Ok(known.iter().map(|(_, value)| *value).collect()) };
        let find = |wanted: &str| {
            let found = known.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            found.ok_or_else(|| Failure::new(format!("{name}: `{wanted}` is none of {}", names.join(", "))))
        };
        list.split(',').filter(|wanted| !wanted.is_empty()).map(find).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(line: &str) -> Result<Options, Failure> {
        Options::parse(line.split_whitespace().map(String::from), &["--a", "--b"])
    }

    #[test]
    fn what_is_not_known_is_told() {
        let known = [("x", 1), ("y", 2)];
        let given = options("--a y,x --b 7").unwrap();
        assert_eq!(given.chosen("--a", &known).unwrap(), [2, 1]);
        assert_eq!(options("").unwrap().chosen("--a", &known).unwrap(), [1, 2]);
        assert_eq!((given.number("--b", 1_u64).unwrap(), given.number("--c", 1_u64).unwrap()), (7, 1));
        assert!(options("--a z").unwrap().chosen("--a", &known).unwrap_err().to_string().contains("`z`"));
        for line in ["--d 1", "--a"] {
            assert!(options(line).is_err(), "{line}");
        }
    }
}
