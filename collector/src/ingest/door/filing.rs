//! The thread that makes the indexes of closed generations and removes files, so that the log waits for neither.

use super::generation::remove;
use super::index::{Index, Summary};
use super::table::Table;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// What the thread is asked to do.
#[derive(Debug)]
enum Work {
    Index(Job),
    Remove(PathBuf),
}

/// A generation whose index is to be made.
#[derive(Debug)]
pub struct Job {
    /// Where its entries are found until then.
    pub table: Arc<Table>,
    /// What the index is to say of it.
    pub summary: Summary,
    /// Its entries, which are made durable first.
    pub ids: File,
    /// Where the index is to lie.
    pub path: PathBuf,
}

/// The thread, seen from the door.
#[derive(Debug)]
pub struct Filing {
    /// The thread ends once this is gone.
    work: Option<Sender<Work>>,
    made: Receiver<Index>,
    thread: Option<JoinHandle<()>>,
    stopping: Arc<AtomicBool>,
}

impl Filing {
    /// Starts the thread.
    ///
    /// # Errors
    /// No thread could be started.
    pub fn start() -> io::Result<Self> {
        let (work, asked) = channel();
        let (sender, made) = channel();
        let stopping = Arc::new(AtomicBool::new(false));
        let stopped = stopping.clone();
        let run = move || {
            while let Ok(work) = asked.recv() {
                match work {
                    // The next start makes it.
                    _ if stopped.load(Ordering::Relaxed) => {}
                    Work::Index(Job { table, summary, ids, path }) => {
                        let index = ids.sync_data().and_then(|()| Index::write(&path, &table, summary));
                        match index {
                            // Nobody waits for it where the door is being closed.
                            Ok(index) => drop(sender.send(index)),
                            Err(error) => {
                                let file = path.display();
                                tracing::warn!(%file, %error, "event ids stay in memory until the next start");
                            }
                        }
                    }
                    Work::Remove(path) => {
                        if let Err(error) = remove(&path) {
                            tracing::warn!(file = %path.display(), %error, "a file of the door stays");
                        }
                    }
                }
            }
        };
        let thread = std::thread::Builder::new().name("door".into()).spawn(run)?;
        Ok(Self { work: Some(work), made, thread: Some(thread), stopping })
    }

    /// Has an index made.
    pub fn ask(&self, job: Job) {
        self.send(Work::Index(job));
    }

    /// Has a file removed.
    pub fn remove(&self, path: PathBuf) {
        self.send(Work::Remove(path));
    }

    fn send(&self, work: Work) {
        // Where the thread is gone everything stays as it is.
        let _ = self.work.as_ref().map(|sender| sender.send(work));
    }

    /// An index that has been made.
    pub fn made(&self) -> Option<Index> {
        self.made.try_recv().ok()
    }

    /// Waits for an index.
    #[cfg(test)]
    pub fn wait(&self) -> Option<Index> {
        self.made.recv_timeout(std::time::Duration::from_secs(20)).ok()
    }
}

impl Drop for Filing {
    fn drop(&mut self) {
        // Nobody else may have the files while it is at work on them.
        self.stopping.store(true, Ordering::Relaxed);
        self.work = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
