//! The repository's own text files.

use crate::command::{output, program};
use crate::failure::Failure;
use std::fs;
use std::path::Path;

/// One text file.
pub struct File {
    /// Path from the root, with `/` between folders.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// All text files that git knows or would add.
pub struct Tree(pub Vec<File>);

impl Tree {
    /// Reads the tree below a root; files that are no UTF-8 text are left out.
    ///
    /// # Errors
    /// git is missing, or the root is no repository.
    pub fn read(root: &Path) -> Result<Self, Failure> {
        let words = ["git", "ls-files", "--cached", "--others", "--exclude-standard"];
        let names = output(&mut program(root, &words))?;
        let files = names.lines().filter_map(|name| {
            let text = fs::read_to_string(root.join(name)).ok()?;
            Some(File { path: name.to_owned(), text })
        });
        Ok(Self(files.collect()))
    }

    /// The files below a folder with an extension.
    pub fn below<'a>(&'a self, folder: &'a str, extension: &'a str) -> impl Iterator<Item = &'a File> {
        self.0.iter().filter(move |file| {
            file.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
                && file.extension() == extension
        })
    }

    /// The text of one file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.0.iter().find(|file| file.path == path).map(|file| file.text.as_str())
    }

    /// The files of a crate's folder that are not declared as tests.
    pub fn code_below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        let tests: Vec<String> = self.below(folder, "rs").flat_map(test_modules).collect();
        self.below(folder, "rs").filter(move |file| !tests.contains(&file.path))
    }

    /// A tree of samples, for control tests.
    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), text: (*text).to_owned() };
        Self(files.iter().map(file).collect())
    }
}

impl File {
    /// The part of the name after the last dot.
    pub fn extension(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// The lines before the file's tests, without comments, each with its number from 1.
    pub fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.text.find("\nmod tests {").unwrap_or(self.text.len());
        self.text[..tests].lines().enumerate().map(|(index, line)| {
            let code = if line.trim_start().starts_with("//") { "" } else { line };
            (index + 1, code.split(" // ").next().unwrap_or_default())
        })
    }
}

/// The files that a module declares with `#[cfg(test)]` before `mod name;`.
fn test_modules(file: &File) -> Vec<String> {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let declared = file.text.split("#[cfg(test)]\n").skip(1).filter_map(|rest| {
        let line = rest.lines().next()?.trim_end_matches(';');
        line.split_once("mod ").map(|(_, name)| format!("{folder}/{name}.rs"))
    });
    declared.collect()
}
