//! Embeds the built SDK and demo where they exist; a release build refuses to go without.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let crate_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut out = String::new();
    for (name, folder, entry) in
        [("SDK", "../sdk-wasm/dist/script", "attune.js"), ("DEMO", "../demo-site/dist", "index.html")]
    {
        let folder = crate_dir.join(folder);
        println!("cargo::rerun-if-changed={}", folder.display());
        let built = folder.join(entry).is_file();
        if !built && env::var("PROFILE")? == "release" {
            println!(
                "cargo::error={} is not built, and a release carries it inside; run `cargo xtask build` first",
                folder.display()
            );
        }
        let mut files = Vec::new();
        if built {
            collect(&folder, &mut files)?;
        }
        files.sort();
        writeln!(out, "static {name}: &[(&str, &[u8])] = &[")?;
        for file in &files {
            let path =
                file.strip_prefix(&folder)?.to_str().ok_or("a file name is not UTF-8")?.replace('\\', "/");
            writeln!(out, "    ({path:?}, include_bytes!({:?})),", file.display().to_string())?;
        }
        writeln!(out, "];")?;
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("embedded.rs"), out)?;
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_none_or(|extension| extension != "map") {
            files.push(path);
        }
    }
    Ok(())
}
