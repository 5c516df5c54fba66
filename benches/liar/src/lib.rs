//! Stands before `fsync` and `fdatasync` of a program that has this in `LD_PRELOAD`, as a disk would that lies about what is durable.
//! `ATTUNE_SYNC` says how: `none` syncs nothing, `late` only 50 ms after it has said so, `folders` no folders.
//!
//! A name that is not synced becomes durable with the next transaction of the file system, whoever asks for one. So where the log
//! has had its folder synced in vain, what would ask for it is held back, and the program is stopped a little later: what it
//! has acknowledged meanwhile is in a file whose name is not durable.

use core::ffi::CStr;
use libc::{SYS_fdatasync, SYS_fsync, c_int, c_long};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

const LATE: Duration = Duration::from_millis(50);
/// Time from a folder that was not synced until the program is stopped.
const STOPPED_AFTER: Duration = Duration::from_millis(8);

/// What the program calls for `fsync`.
#[unsafe(no_mangle)]
pub extern "C" fn fsync(fd: c_int) -> c_int {
    sync(fd, SYS_fsync)
}

/// What the program calls for `fdatasync`.
#[unsafe(no_mangle)]
pub extern "C" fn fdatasync(fd: c_int) -> c_int {
    sync(fd, SYS_fdatasync)
}

fn sync(fd: c_int, call: c_long) -> c_int {
    static KIND: OnceLock<String> = OnceLock::new();
    match KIND.get_or_init(|| std::env::var("ATTUNE_SYNC").unwrap_or_default()).as_str() {
        "none" => 0,
        "late" => {
            // SAFETY: a number of a descriptor is all that is handed over; a wrong one is an error.
            let held = unsafe { libc::dup(fd) };
            thread::spawn(move || {
                thread::sleep(LATE);
                // SAFETY: the descriptor is this thread's own.
                unsafe {
                    libc::syscall(call, held);
                    libc::close(held);
                }
            });
            0
        }
        "folders" if is_folder(fd) => {
            if is_thread(c"log") {
                thread::spawn(|| {
                    thread::sleep(STOPPED_AFTER);
                    // SAFETY: nothing but numbers is handed over.
                    unsafe { libc::kill(libc::getpid(), libc::SIGSTOP) }
                });
            }
            0
        }
        "folders" if is_thread(c"log-spare") => {
            thread::sleep(LATE);
            // SAFETY: as above.
            unsafe { libc::syscall(call, fd) as c_int }
        }
        // SAFETY: as above; the result and `errno` are the caller's.
        _ => unsafe { libc::syscall(call, fd) as c_int },
    }
}

/// Whether this thread has a name.
fn is_thread(name: &CStr) -> bool {
    let mut own = [0_u8; 16];
    // SAFETY: the system writes 16 bytes at most there, with a zero behind the name.
    unsafe { libc::prctl(libc::PR_GET_NAME, own.as_mut_ptr()) };
    CStr::from_bytes_until_nul(&own).is_ok_and(|own| own == name)
}

fn is_folder(fd: c_int) -> bool {
    // SAFETY: zeros are a value of this structure, and it is written to as far as it goes.
    unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        libc::fstat(fd, &raw mut found) == 0 && found.st_mode & libc::S_IFMT == libc::S_IFDIR
    }
}
