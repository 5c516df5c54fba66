//! The browser engines beside Chromium in which the tests run, installed where that is possible.

use crate::failure::Failure;
use crate::toolchain::{ensure_by_apt, on_path, variable};
use std::fs;
use std::path::{Path, PathBuf};

/// Names under which distributions install Firefox, in order of preference.
const FIREFOXES: [&str; 2] = ["firefox-esr", "firefox"];
const PACKAGES: [&str; 3] = ["firefox-esr", "webkit2gtk-driver", "xvfb"];
/// Where distributions keep what WebKit's own browser is part of, a folder per architecture and version.
const LIBRARIES: &str = "/usr/lib";

/// What it takes to run a page in Firefox and in WebKit.
#[derive(Clone, Debug)]
pub struct Engines {
    /// Path of Firefox.
    pub firefox: PathBuf,
    /// Path of WebKitWebDriver.
    pub webkit_driver: PathBuf,
    /// Path of MiniBrowser, which is WebKit and little else.
    pub minibrowser: PathBuf,
    /// Path of Xvfb: MiniBrowser has to have a display.
    pub xvfb: PathBuf,
}

/// Finds Firefox, WebKit with its driver, and Xvfb, and installs them by apt where this runs as root.
///
/// # Errors
/// They are missing and cannot be installed; the line names the command to run.
pub fn ensure(root: &Path) -> Result<Engines, Failure> {
    ensure_by_apt(root, "Firefox, WebKitWebDriver or Xvfb", &PACKAGES, find)
}

fn find() -> Option<Engines> {
    Some(Engines {
        firefox: variable("FIREFOX").or_else(|| FIREFOXES.iter().find_map(|name| on_path(name)))?,
        webkit_driver: variable("WEBKIT_DRIVER").or_else(|| on_path("WebKitWebDriver"))?,
        minibrowser: variable("MINIBROWSER").or_else(find_minibrowser)?,
        xvfb: variable("XVFB").or_else(|| on_path("Xvfb"))?,
    })
}

/// `/usr/lib/<architecture>/webkit2gtk-4.1/MiniBrowser`; of several, the last by name.
fn find_minibrowser() -> Option<PathBuf> {
    let versions = folders(Path::new(LIBRARIES)).into_iter().flat_map(|folder| folders(&folder));
    let webkits = versions
        .filter(|folder| folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with("webkit")));
    webkits.map(|folder| folder.join("MiniBrowser")).filter(|file| file.is_file()).max()
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
