//! What the log asks of a disk: one folder and the files in it. The real one is the file system; tests have one that fails,
//! lies and loses its power.

use rustix::fs::FallocateFlags;
use std::fmt::Debug;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// The folder of a log.
pub type Disk = Arc<dyn Folder>;

/// A folder, whose files go by their names.
pub trait Folder: Debug + Send + Sync {
    /// Where it is, for people.
    fn path(&self) -> &Path;
    /// The names in it, in no order; those that are no text are left out.
    fn names(&self) -> io::Result<Vec<String>>;
    /// Opens a file.
    fn open(&self, name: &str, how: How) -> io::Result<Box<dyn File>>;
    /// The bytes of a file; nothing where there is none of that name.
    fn length(&self, name: &str) -> io::Result<Option<u64>>;
    /// Gives a file another name; what had that before is gone.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Makes the names as they are now durable.
    fn sync(&self) -> io::Result<()>;
    /// What is left on its disk.
    fn room(&self) -> io::Result<Room>;
}

/// An open file.
pub trait File: Debug + Send + Sync {
    /// Reads bytes from an offset on, at least one unless it ends there.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes bytes from an offset on, as many as it takes at once.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize>;
    /// Makes its bytes durable, and of what is said about it what it takes to read them.
    fn sync_data(&self) -> io::Result<()>;
    /// Makes it durable with all that is said about it.
    fn sync_all(&self) -> io::Result<()>;
    /// Its bytes.
    fn length(&self) -> io::Result<u64>;
    /// When it was last written to.
    fn modified(&self) -> io::Result<SystemTime>;
    /// Gives it a length of so many bytes, with room for all of them.
    fn reserve(&self, bytes: u64) -> io::Result<()>;
}

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// To be read; it has to be there.
    Read,
    /// To be read and written; it has to be there.
    Write,
    /// As it is, or made.
    Kept,
    /// Empty.
    Empty,
    /// Empty, and for nobody but its owner where it is made.
    Private,
}

/// What is left on a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Free bytes.
    pub bytes: u64,
    /// Files that can still be made, where there is a limit.
    pub files: Option<u64>,
}

/// A folder of the file system.
#[derive(Debug)]
struct Real(PathBuf);

/// A folder of the file system, which need not be there yet.
pub fn folder(path: &Path) -> Disk {
    Arc::new(Real(path.to_owned()))
}

impl Real {
    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Folder for Real {
    fn path(&self) -> &Path {
        &self.0
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            names.extend(entry?.file_name().into_string());
        }
        Ok(names)
    }

    fn open(&self, name: &str, how: How) -> io::Result<Box<dyn File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(how != How::Read);
        options.create(matches!(how, How::Kept | How::Empty | How::Private));
        options.truncate(matches!(how, How::Empty | How::Private));
        if how == How::Private {
            options.mode(0o600);
        }
        Ok(Box::new(options.open(self.at(name))?))
    }

    fn length(&self, name: &str) -> io::Result<Option<u64>> {
        match fs::metadata(self.at(name)) {
            Ok(found) => Ok(Some(found.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.at(name))
    }

    fn sync(&self) -> io::Result<()> {
        fs::File::open(&self.0)?.sync_all()
    }

    fn room(&self) -> io::Result<Room> {
        let disk = rustix::fs::statvfs(&self.0)?;
        let bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
        // Some file systems have no limit of files and say 0.
        Ok(Room { bytes, files: (disk.f_files > 0).then_some(disk.f_favail) })
    }
}

impl File for fs::File {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, bytes, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        FileExt::write_at(self, bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        Self::sync_all(self)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn modified(&self) -> io::Result<SystemTime> {
        self.metadata()?.modified()
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.set_len(bytes)?;
        Ok(rustix::fs::fallocate(self, FallocateFlags::empty(), 0, bytes)?)
    }
}

/// Writes all bytes from an offset on.
pub fn write_all_at(file: &dyn File, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write_at(bytes, offset) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = bytes.get(count..).unwrap_or_default();
                offset += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// As many of so many bytes from an offset on as the file has.
pub fn read_up_to(file: &dyn File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let left = file.length()?.saturating_sub(offset);
    let length = usize::try_from(left).map_or(length, |left| length.min(left));
    let mut bytes = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut bytes[filled..], offset + filled as u64)? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// Removes a file, where it is there.
pub fn remove_where_there(disk: &Disk, name: &str) -> io::Result<()> {
    match disk.remove(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
